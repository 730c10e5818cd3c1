/*
 * One worker of a pool that is not ours: the listening socket came on fd 0, and whoever opened it
 * counts, replaces and ends the workers (mod_fcgid, spawn-fcgi). The limits and counters
 * are shared by files.
 */
#ifndef POOL_SINGLE_H
#define POOL_SINGLE_H

#include "pool/signals.h"
#include "pool/worker.h"
#include "wire/config.h"

/*
 * Serves with tools of these settings, which it clears, until told to stop. Returns the process's
 * exit code: 0; 1 it could not start or go on
 * (logged).
 */
int single_run(const struct config *config, struct worker_tools *tools, int listen_fd,
	       const struct signals *signals);

#endif
