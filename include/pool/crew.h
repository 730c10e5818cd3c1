/*
 * The master's children, workers and others: starting, telling, reaping and burying them. When and
 * how many is pool.c's to say. What the master needs to know of a child it keeps for itself: the
 * scoreboard is in memory that a worker gone wild can write to, so it is shown, never believed.
 */
#ifndef POOL_CREW_H
#define POOL_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"
#include "chat/limit.h"
#include "edge/line.h"
#include "pool/scoreboard.h"
#include "pool/signals.h"
#include "wire/config.h"

struct crew_member {
	pid_t pid; /* 0: the place is free */
	enum crew_kind kind;
	int64_t born;
	uint32_t generation;
	int64_t drain_ms; /* as its settings say, and the longest that a request of it may take */
	int64_t longest_ms;
	bool told;	 /* it was sent SIGUSR2 or SIGTERM */
	int64_t kill_at; /* when it will have had its time; CLOCK_NEVER until told */
};

struct crew_sockets {
	int listen_fd;
	int status_fd; /* -1: none */
	bool kept;     /* listen_fd outlives us: who waits there is the next pool's */
};

struct crew_pause {
	int64_t ms;	  /* before the next start after a death; 0: there was none */
	int64_t start_at; /* not before */
};

/* Places besides the workers': a doorman and a status process, of two generations. */
#define CREW_OTHERS 4

struct crew {
	const struct config *config; /* of the next child */
	struct crew_sockets sockets;
	struct line *line;
	struct signals *signals;
	struct limit *limit;
	struct scoreboard *scoreboard;
	struct crew_member *members;
	uint32_t places;
	uint32_t generation;
	bool closing; /* nobody is replaced any more */
	struct crew_pause pauses[CREW_KINDS];
};

/* Sized for children of two generations. STATUS_NOMEM, STATUS_FAILED (logged). */
enum status crew_init(struct crew *crew, const struct config *config,
		      const struct crew_sockets *sockets, struct signals *signals) MUST_CHECK;
void crew_clear(struct crew *crew);

struct crew_count {
	uint32_t living;
	uint32_t fresh;	   /* of this generation, not told to end */
	uint32_t starting; /* of those: not yet ready to serve */
	uint32_t old;	   /* of an earlier generation, not told to end */
};
struct crew_count crew_count(const struct crew *crew, enum crew_kind kind);
/* Of all kinds. */
uint32_t crew_living(const struct crew *crew);

/*
 * Starts one, if it is time and there is a free place; false if not. In the child it does not
 * return.
 */
bool crew_start(struct crew *crew, enum crew_kind kind, int64_t now);
/* Tells one of an earlier generation to end when its request has; crew_close() hurries it. */
void crew_retire(struct crew *crew, enum crew_kind kind, int64_t now);
/* Tells all to end; nobody is replaced from here on. */
void crew_close(struct crew *crew, int64_t now);
/* Kills those that were told and had their time; returns when the next one's is over. */
int64_t crew_kill_late(struct crew *crew, int64_t now);
/* Kills all. */
void crew_kill(struct crew *crew);
/* Buries the dead: logs, gives back what they held, decides when a replacement may start. */
void crew_reap(struct crew *crew, int64_t now);
/* Logs the scoreboard, a line a child. */
void crew_show(const struct crew *crew, int64_t now);

#endif
