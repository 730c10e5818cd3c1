/*
 * Each child's state, in shared memory, written lock-free by the child and read by the master and
 * the admission process. What children count is base/counter's.
 */
#ifndef POOL_SCOREBOARD_H
#define POOL_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/running.h"
#include "base/stage.h"
#include "base/status.h"

/* What a child of the master is there for. */
enum child_kind {
	CHILD_WORKER,
	CHILD_ADMISSION, /* refuses what waited for a worker too long */
	CHILD_STATUS,	 /* answers /health on the status listener */
	CHILD_STOPPER,	 /* asks the database which exchanges are to end */
	CHILD_KINDS
};

struct scoreboard_slot {
	struct stage stage;
	struct running running;
	_Atomic pid_t pid; /* 0: free */
	enum child_kind kind;
	int64_t born; /* clock_ms() */
	uint32_t generation;
	_Atomic bool busy; /* it is counted in the scoreboard's `busy` */
};

struct scoreboard {
	_Atomic bool closing;	/* all are told to end, and nobody follows */
	_Atomic bool followed;	/* another pool serves our sockets: who waits there is its own */
	_Atomic bool grows;	/* there will be more workers if somebody waits */
	_Atomic bool unwatched; /* the stopper is to be woken when a worker has a request */
	_Atomic uint32_t busy, peak; /* workers with a request, and the most there were at once */
	int64_t started;	     /* clock_wall_ms() */
	uint32_t count;
	struct scoreboard_slot slots[];
};

/* Anonymous shared memory for `count` workers, to be made before fork. STATUS_NOMEM. */
enum status scoreboard_new(uint32_t count, struct scoreboard **out) MUST_CHECK;
void scoreboard_free(struct scoreboard *scoreboard); /* NULL is fine */
/* Of a worker: it has a request, or has none any more; a dead one has none (the master's to say). */
void scoreboard_set_busy(struct scoreboard *scoreboard, struct scoreboard_slot *slot, bool busy);
/*
 * Of the stopper: it sleeps until a worker has a request. False: one has.
 * Of that worker: true if the stopper is to be woken.
 */
bool scoreboard_unwatch(struct scoreboard *scoreboard);
bool scoreboard_watch(struct scoreboard *scoreboard);
/* True if a worker lives. */
bool scoreboard_worked(const struct scoreboard *scoreboard);
/* True if a worker waits for a request, or did a moment ago. */
bool scoreboard_idle(const struct scoreboard *scoreboard);

#endif
