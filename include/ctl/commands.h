/* banterctl as a table. */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "cli/command.h"

extern const struct cli_program ctl_program;

#endif
