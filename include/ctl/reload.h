/* banterctl reload: the running pool loads its settings again. */
#ifndef CTL_RELOAD_H
#define CTL_RELOAD_H

#include "cli/command.h"

extern const struct cli_command ctl_reload_commands[];

#endif
