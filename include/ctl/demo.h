/* banterctl demo. */
#ifndef CTL_DEMO_H
#define CTL_DEMO_H

#include "cli/command.h"

/*
 * Makes a workspace, a chatbot and keys to try things with; `--env-file FILE` keeps them from run
 * to run.
 */
int demo_run(const struct cli_call *call);

#endif
