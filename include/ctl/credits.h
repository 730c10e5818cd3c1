/* banterctl credits. */
#ifndef CTL_CREDITS_H
#define CTL_CREDITS_H

#include "cli/command.h"

extern const struct cli_command ctl_credits_commands[];

#endif
