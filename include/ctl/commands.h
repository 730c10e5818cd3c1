/* Each room's own part of the table of commands; ended by a NULL name. */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "cli/command.h"

extern const struct cli_command ctl_schema_commands[]; /* migrate, demo */
extern const struct cli_command ctl_workspace_commands[];
extern const struct cli_command ctl_chatbot_commands[];
extern const struct cli_command ctl_key_commands[];
extern const struct cli_command ctl_credits_commands[];
extern const struct cli_command ctl_conversation_commands[];
extern const struct cli_command ctl_retention_commands[]; /* prune, sweep */
extern const struct cli_command ctl_watch_commands[];	  /* stats, tail */
extern const struct cli_command ctl_doctor_commands[];	  /* doctor */
extern const struct cli_command ctl_program_commands[];	  /* help, version */

#endif
