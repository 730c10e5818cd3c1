/* banterctl stats. */
#ifndef CTL_STATS_H
#define CTL_STATS_H

#include "cli/command.h"

/* How much is used, as a table; for people at a terminal with a small plot under it. */
int stats_run(const struct cli_call *call);

#endif
