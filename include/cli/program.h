/* The whole of an operator's program. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "cli/command.h"

/* Its main(): returns the exit code. */
int program_run(const struct cli_program *program, int argc, char **argv);

/*
 * For a command that is CLI_ALONE until it knows better: loads the settings as for any other and runs
 * that. Returns its exit code, or CLI_WRONG or CLI_FAILED (said).
 */
int program_with_settings(const struct cli_call *call, int (*run)(const struct cli_call *call));

#endif
