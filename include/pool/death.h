/* A child's death, counted by its cause. */
#ifndef POOL_DEATH_H
#define POOL_DEATH_H

#include <stdbool.h>

#include "base/counter.h"
#include "pool/scoreboard.h"

/* `result` is waitpid(2)'s; `stuck`: it was to end for its silence. Who ended well did not die. */
void death_count(struct counter_slot *slot, enum child_kind kind, int result, bool stuck);

#endif
