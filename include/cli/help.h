/* What a program says of itself, printed from the table of commands. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"

/* All commands, a line each. */
void help_all(const struct cli_program *program, FILE *out);
/* The commands that begin with that word ("chatbot"); false: none do. `out` NULL: prints nothing. */
bool help_group(const struct cli_program *program, const char *word, FILE *out);
/* One command: usage, options, example. */
void help_command(const struct cli_program *program, const struct cli_command *command, FILE *out);

#endif
