/* banterctl key. */
#ifndef CTL_KEY_H
#define CTL_KEY_H

#include "cli/command.h"

extern const struct cli_command ctl_key_commands[];

#endif
