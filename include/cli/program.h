/* The whole of an operator's program. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "cli/command.h"

/* Its main(): returns the exit code. */
int program_run(const struct cli_program *program, int argc, char **argv);

#endif
