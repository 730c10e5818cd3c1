/* Erasing with a person there: what conversation delete and prune share. */
#ifndef CTL_ERASURE_H
#define CTL_ERASURE_H

#include "cli/command.h"
#include "ops/erasure.h"

/* Counts, asks, erases, and says so: a whole command. */
int erasure_run(const struct cli_call *call, const struct ops_erasure *which);

#endif
