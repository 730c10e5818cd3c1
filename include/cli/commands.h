/* The commands that every program of operators has: they speak of its table. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct cli_command cli_commands[]; /* help, completion, manual, version */

#endif
