/* banterctl conversation export, and show, which is the same of one to standard output. */
#ifndef CTL_CONVERSATION_EXPORT_H
#define CTL_CONVERSATION_EXPORT_H

#include "cli/command.h"

int conversation_export(const struct cli_call *call);
int conversation_show(const struct cli_call *call);

#endif
