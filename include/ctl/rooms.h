/* Each room's own part of the table of commands; ended by a NULL name. */
#ifndef CTL_ROOMS_H
#define CTL_ROOMS_H

#include "ctl/command.h"

extern const struct ctl_command ctl_schema_commands[];	/* migrate, demo */
extern const struct ctl_command ctl_watch_commands[];	/* stats, tail */
extern const struct ctl_command ctl_program_commands[]; /* help, version */

#endif
