/*
 * The master's children, workers and others: starting, telling, reaping and burying them. When and
 * how many is decided by pool/master.h. What the master needs to know of a child it keeps for itself: the
 * scoreboard is in memory that a worker gone wild can write to, so it is shown, never believed.
 */
#ifndef POOL_CHILDREN_H
#define POOL_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/counter.h"
#include "base/status.h"
#include "chat/limit.h"
#include "chat/model_shared.h"
#include "edge/db_throttle.h"
#include "edge/listen.h"
#include "edge/queue.h"
#include "pool/master.h"
#include "pool/scoreboard.h"
#include "pool/signals.h"
#include "pool/worker.h"
#include "wire/config.h"

/* What a living child is besides what the state machine knows. */
struct child {
	pid_t pid;		    /* 0: the place is free */
	uint64_t counted[COUNTERS]; /* in its slot before it was born: by others */
};

struct children_sockets {
	int listen_fd;
	int status_fd;		 /* -1: none */
	int control_fd, tell_fd; /* -1: none; the master's alone */
	const int *queue;	 /* handed over; NULL: a new one */
	bool kept;		 /* listen_fd outlives us: who waits there is the next pool's */
	struct listen_file file; /* of listen_fd */
};

struct children {
	const struct config *config; /* of the next child */
	struct worker_tools *tools;  /* its copy's */
	struct children_sockets sockets;
	struct queue *queue;
	struct queue *silent; /* whom workers leave to the admission process: nobody spoke yet */
	/* Rung for the master: connections wait, and there may be more workers; exchanges are to end. */
	int bell;
	int alarm; /* for the admission process: who was woken for a connection may have died of it */
	int watcher; /* for the stopper: a worker has a request */
	struct signals *signals;
	struct limit *limit;
	struct model_shared *models;
	struct db_throttle *throttle; /* a place a place */
	struct broadcast
		*broadcast; /* ... too; NULL: there is no memory for it, and nobody is heard */
	struct scoreboard *scoreboard;
	struct counter_table *counters; /* a slot a place, and one of the master's */
	struct master master;		/* its places are ours */
	struct child *all;
	uint32_t places;
};

/* Sized for children of two generations, as many as `plan` wants. STATUS_NOMEM, STATUS_FAILED (logged). */
enum status children_init(struct children *children, const struct config *config,
			  const struct master_plan *plan, const struct children_sockets *sockets,
			  struct signals *signals) MUST_CHECK;
void children_clear(struct children *children);

/*
 * Starts one in that free place, and tells the master; false: it could not be (logged). In the child
 * it does not return.
 */
bool children_start(struct children *children, enum child_kind kind, uint32_t place, int64_t now);
/* Sends that child a signal. */
void children_tell(const struct children *children, uint32_t place, int number);
/* Says to the workers that all of them end: before they are told, one by one. */
void children_close(struct children *children);
/* Tells the master what each does, and who waits. */
void children_look(struct children *children, int64_t now);
/* Tells the admission process what the master decided: whether to ring. */
void children_say(const struct children *children);
/*
 * Buries the dead: logs, gives back what they held, tells the master; that too, which were stopped or
 * go on.
 */
void children_reap(struct children *children, int64_t now);
/* Logs the scoreboard, a line a child, and what is known of the model servers. */
void children_show(const struct children *children, int64_t now);
/* What a log line calls such a child. */
const char *children_kind_name(enum child_kind kind);

#endif
