/* banterctl prune and sweep: how long things are kept. */
#ifndef CTL_RETENTION_H
#define CTL_RETENTION_H

#include "cli/command.h"

extern const struct cli_command ctl_retention_commands[];

#endif
