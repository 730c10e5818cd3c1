/* A reload in the pool's loop: new settings, and whoever asked for them hears what became of it. */
#ifndef POOL_RELOAD_H
#define POOL_RELOAD_H

#include "pool/pool_internal.h"

/* Loads the settings again; good ones replace the old, and the master exchanges the children. */
void reload_begin(struct pool *pool);
/* All workers are up: who waits for it hears so, unless it is an upgrade's end that they wait for. */
void reload_done(struct pool *pool);

#endif
