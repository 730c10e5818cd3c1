/*
 * The master's children, workers and others: starting, telling, reaping and burying them. When and
 * how many is pool.c's to say. What the master needs to know of a child it keeps for itself: the
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
#include "pool/scoreboard.h"
#include "pool/signals.h"
#include "pool/worker.h"
#include "wire/config.h"

struct child {
	pid_t pid; /* 0: the place is free */
	enum child_kind kind;
	int64_t born;
	uint32_t generation;
	int64_t drain_ms; /* as its settings say, and the longest that a request of it may take */
	int64_t longest_ms;
	bool told;		    /* it was sent SIGUSR2 or SIGTERM */
	int64_t kill_at;	    /* when it will have had its time; CLOCK_NEVER until told */
	uint64_t counted[COUNTERS]; /* in its slot before it was born: by others */
};

struct children_sockets {
	int listen_fd;
	int status_fd;		 /* -1: none */
	bool kept;		 /* listen_fd outlives us: who waits there is the next pool's */
	struct listen_file file; /* of listen_fd */
};

struct children_pause {
	int64_t ms;	  /* before the next start after a death; 0: there was none */
	int64_t start_at; /* not before */
};

/* Places besides the workers': an admission process and a status process, of two generations. */
#define CHILDREN_OTHERS 4

struct children {
	const struct config *config; /* of the next child */
	struct worker_tools *tools;  /* its copy's */
	struct children_sockets sockets;
	struct queue *queue;
	struct signals *signals;
	struct limit *limit;
	struct model_shared *models;
	struct db_throttle *throttle; /* a place a place */
	struct scoreboard *scoreboard;
	struct counter_table *counters; /* a slot a place */
	struct child *all;
	uint32_t places;
	uint32_t generation;
	bool closing; /* nobody is replaced any more */
	struct children_pause pauses[CHILD_KINDS];
};

/* Sized for children of two generations. STATUS_NOMEM, STATUS_FAILED (logged). */
enum status children_init(struct children *children, const struct config *config,
			  const struct children_sockets *sockets,
			  struct signals *signals) MUST_CHECK;
void children_clear(struct children *children);

struct children_tally {
	uint32_t living;
	uint32_t fresh;	   /* of this generation, not told to end */
	uint32_t starting; /* of those: not yet ready to serve */
	uint32_t old;	   /* of an earlier generation, not told to end */
};
struct children_tally children_count(const struct children *children, enum child_kind kind);
/* Of all kinds. */
uint32_t children_living(const struct children *children);

/*
 * Starts one, if it is time and there is a free place; false if not. In the child it does not
 * return.
 */
bool children_start(struct children *children, enum child_kind kind, int64_t now);
/* Tells one of an earlier generation to end when its request has; children_close() hurries it. */
void children_retire(struct children *children, enum child_kind kind, int64_t now);
/* Tells all to end; nobody is replaced from here on. */
void children_close(struct children *children, int64_t now);
/* Kills those that were told and had their time; returns when the next one's is over. */
int64_t children_kill_late(struct children *children, int64_t now);
/* Kills all. */
void children_kill(struct children *children);
/* Buries the dead: logs, gives back what they held, decides when a replacement may start. */
void children_reap(struct children *children, int64_t now);
/* Logs the scoreboard, a line a child, and what is known of the model servers. */
void children_show(const struct children *children, int64_t now);

#endif
