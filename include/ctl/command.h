/* banterctl's commands: each gets its own arguments and returns the program's exit code. */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include "edge/db.h"
#include "wire/config.h"

enum { CTL_DONE = 0, CTL_FAILED = 1, CTL_WRONG = 2 };

typedef int (*ctl_command_fn)(const struct config *config, int argc, char **argv);

/* Applies the schema; `--role NAME` is the application's role, none: one role owns and uses all. */
int ctl_migrate(const struct config *config, int argc, char **argv);
/*
 * Makes a workspace, a chatbot and keys to try things with; `--env-file FILE` keeps them from run
 * to run.
 */
int ctl_demo(const struct config *config, int argc, char **argv);

/*
 * A connection for the operator: BANTER_ADMIN_DATABASE_URL, else the application's. CTL_DONE or
 * CTL_FAILED (said).
 */
int ctl_connect(const struct config *config, struct db **out);
/*
 * The value of `--name VALUE`, the only option taken; *out stays as it is without it. CTL_DONE or
 * CTL_WRONG (said).
 */
int ctl_option(int argc, char **argv, const char *name, const char **out);

#endif
