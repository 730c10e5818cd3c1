/* What a shell completes of a program's commands. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"

/* The completion for "bash" or "zsh"; false: no such shell. */
bool completion_put(const struct cli_program *program, const char *shell, FILE *out);

#endif
