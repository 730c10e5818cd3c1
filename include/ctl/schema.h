/* The commands of the schema that stand in files of their own. */
#ifndef CTL_SCHEMA_H
#define CTL_SCHEMA_H

#include "cli/command.h"

/*
 * Makes a workspace, a chatbot and keys to try things with; `--env-file FILE` keeps them from run
 * to run.
 */
int schema_demo(const struct cli_call *call);

#endif
