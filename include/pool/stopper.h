/*
 * The stopper: asks the database, once a second for all exchanges that run in this pool's workers,
 * which of them somebody wants to end (R5), and has the master wake their workers. It sleeps while no
 * worker has a request, and has a connection only while exchanges run, and a moment longer.
 */
#ifndef POOL_STOPPER_H
#define POOL_STOPPER_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/counter.h"
#include "edge/db_throttle.h"
#include "pool/scoreboard.h"
#include "wire/config.h"

struct stopper_setup {
	const struct config *config;
	struct db_throttle *throttle; /* our place in it is `holder` */
	uint32_t holder;
	struct scoreboard *scoreboard;
	int watcher; /* a bell: rung when a worker has a request, and we slept */
	int bell;    /* to ring for the master, once exchanges are said to end */
	struct scoreboard_slot *slot;
	struct counters counters;
	const volatile sig_atomic_t *stop;
	pid_t master;
};

/*
 * Runs until told to stop, and then as long as a worker has a request and no other stopper is there;
 * never longer than `master`. Returns the process's exit code: 0; 1 it cannot work (logged).
 */
int stopper_run(const struct stopper_setup *setup);

#endif
