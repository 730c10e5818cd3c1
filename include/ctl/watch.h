/* banterctl stats and tail: what goes on. */
#ifndef CTL_WATCH_H
#define CTL_WATCH_H

#include "cli/command.h"

extern const struct cli_command ctl_watch_commands[];

#endif
