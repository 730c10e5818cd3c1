/* banterctl status. */
#ifndef CTL_STATUS_H
#define CTL_STATUS_H

#include "cli/command.h"

int status_run(const struct cli_call *call);

#endif
