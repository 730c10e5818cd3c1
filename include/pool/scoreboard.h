/*
 * Each worker's state and counters, in shared memory, written lock-free by the worker and read by
 * the master.
 */
#ifndef POOL_SCOREBOARD_H
#define POOL_SCOREBOARD_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/stage.h"
#include "base/status.h"

struct scoreboard_slot {
	struct stage stage;
	_Atomic pid_t pid; /* 0: free */
	int64_t born;	   /* clock_ms() */
	uint32_t generation;
	_Atomic uint64_t requests;
	_Atomic uint64_t exchanges;
	_Atomic uint64_t tokens;
};

struct scoreboard {
	uint32_t count;
	struct scoreboard_slot slots[];
};

/* Anonymous shared memory for `count` workers, to be made before fork. STATUS_NOMEM. */
enum status scoreboard_new(uint32_t count, struct scoreboard **out) MUST_CHECK;
void scoreboard_free(struct scoreboard *scoreboard); /* NULL is fine */

#endif
