/* banterctl metrics. */
#ifndef CTL_METRICS_H
#define CTL_METRICS_H

#include "cli/command.h"

int metrics_run(const struct cli_call *call);

#endif
