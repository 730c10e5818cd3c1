/* banterctl tail. */
#ifndef CTL_TAIL_H
#define CTL_TAIL_H

#include "cli/command.h"

/* What ran last and what runs; `--follow` until SIGINT or SIGTERM. */
int tail_run(const struct cli_call *call);

#endif
