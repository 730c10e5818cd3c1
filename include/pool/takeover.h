/*
 * An upgrade in the pool's loop: what follows from how the other master fares, for the one that
 * leaves (pool/upgrade.h) and for the one that comes (pool/handover.h).
 */
#ifndef POOL_TAKEOVER_H
#define POOL_TAKEOVER_H

#include <stdint.h>

#include "pool/pool_internal.h"

/* Has the new program take over, unless one is about to. */
void takeover_begin(struct pool *pool, int64_t now);
/* Sees what became of it: we leave, or all goes on as it was. Returns when to look again. */
int64_t takeover_look(struct pool *pool, int64_t now);
/* We end: there is to be none, and a master before this one ends too; so as `stop` says. */
void takeover_end(struct pool *pool, enum wait_stop stop, int64_t now);
/* Of the new one: hears what the old one says. */
void takeover_hear(struct pool *pool);
/* Whether another master has not ended yet, and is to before we do. */
bool takeover_waits(struct pool *pool);

#endif
