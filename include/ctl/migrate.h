/* banterctl migrate and demo: the schema, and something in it. */
#ifndef CTL_MIGRATE_H
#define CTL_MIGRATE_H

#include "cli/command.h"

extern const struct cli_command ctl_schema_commands[];

#endif
