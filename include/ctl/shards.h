/* banterctl shards …: many databases behind one. */
#ifndef CTL_SHARDS_H
#define CTL_SHARDS_H

#include "cli/command.h"

extern const struct cli_command ctl_shards_commands[];

#endif
