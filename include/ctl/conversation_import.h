/* banterctl conversation import. */
#ifndef CTL_CONVERSATION_IMPORT_H
#define CTL_CONVERSATION_IMPORT_H

#include "cli/command.h"

int conversation_import(const struct cli_call *call);

#endif
