/* banterctl workspace. */
#ifndef CTL_WORKSPACE_H
#define CTL_WORKSPACE_H

#include "cli/command.h"

extern const struct cli_command ctl_workspace_commands[];

#endif
