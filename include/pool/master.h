/*
 * The master as a state machine: how many children there are to be, who ends, who is killed, and when
 * all are up. No process, no clock, no signal: here it is told what happened, and what time it is
 * (clock_ms()); pool/master_decide.h says what is to be done then, and pool.c does it.
 */
#ifndef POOL_MASTER_H
#define POOL_MASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/backoff.h"
#include "pool/scoreboard.h"

/* What a child was told; each is more than those before it. */
enum master_told {
	TOLD_NOTHING,
	TOLD_RETIRE, /* to end when its request has: another serves in its place */
	TOLD_END,    /* to end, in its drain's time */
	TOLD_NOW,    /* to end what runs now */
};

/* What the settings allow a child; all in ms. */
struct master_times {
	int64_t drain;		     /* after it was told to end */
	int64_t longest;	     /* for one request */
	int64_t silent[STAGE_COUNT]; /* without a step; 0: for ever */
	int64_t stopped;	     /* the same of one that a signal has stopped */
};

/* A place for a child. */
struct master_child {
	bool lives; /* false: the place is free */
	bool up;    /* it has begun to serve */
	enum child_kind kind;
	enum master_told told;
	uint32_t generation;
	int64_t born;
	int64_t idle_since; /* CLOCK_NEVER: it is not, as far as is known */
	int64_t kill_at;    /* when it will have had its time; CLOCK_NEVER until told */
	enum stage_at at;
	uint32_t steps;
	int64_t silence;	   /* since its last step, as far as the master itself has run */
	bool stopped;		   /* by a signal: it cannot get on */
	bool stuck;		   /* it was told to end for its silence */
	struct master_times times; /* as the plan was when it was born */
};

/* What the settings want. */
struct master_plan {
	uint32_t wanted[CHILD_KINDS]; /* how many of each are to be there, of workers at least */
	uint32_t most;		      /* workers */
	int64_t idle_ms; /* of a worker that is one more than the least, before it goes */
	struct master_times times;
};

enum master_phase {
	MASTER_SERVING,
	MASTER_LEAVING,	 /* another pool serves in our place: all retire, and nobody is replaced */
	MASTER_DRAINING, /* all are told to end, and nobody is replaced */
	MASTER_HURRYING, /* ... to end what runs now */
};

struct master {
	struct master_child *all; /* the caller's */
	uint32_t places;
	struct master_plan plan;
	enum master_phase phase;
	uint32_t workers;    /* how many there are to be now */
	uint32_t generation; /* of those that are born now */
	int64_t looked_at;   /* master_look() was last called */
	int64_t look_at;     /* when it wanted to be called again */
	bool ready;	     /* said MASTER_READY, and nothing has changed since */
	int64_t away_at;     /* while draining: from when on nobody may wait for who follows */
	struct backoff backoffs[CHILD_KINDS];
};

/* Beyond its own time, before a child is killed: to store its end (chat/turn) and say it. */
#define MASTER_GRACE_MS 20000
#define MASTER_AT_ONCE INT64_MIN /* of kill_at: it has no time */

/* Places besides the workers': an admission process, a status process and a stopper, of two generations. */
#define MASTER_OTHERS 6

/* For how many places workers of two generations need, and all others. */
uint32_t master_places(uint32_t workers);
/* The most workers that so many places are enough for: one stays free, for exchanging them. */
uint32_t master_most(uint32_t places);

/* `all`: memory of zeroes for `places` children, which must outlive it. */
void master_init(struct master *master, struct master_child *all, uint32_t places,
		 const struct master_plan *plan);

/* What happened. */

/* There are new settings: all children are exchanged. */
void master_reload(struct master *master, const struct master_plan *plan);
/* MASTER_START was done. */
void master_born(struct master *master, enum child_kind kind, uint32_t place, int64_t now);
/* ... or could not be; returns the ms until it is tried again. */
int64_t master_unborn(struct master *master, enum child_kind kind, int64_t now);
/*
 * Before what is seen of the children is told: what has passed since the last time counts as their
 * silence, but not where the master itself did not run (a suspended machine, a freezer).
 */
void master_look(struct master *master, int64_t now);
/*
 * What a child does, `since` when, and how many steps it has made. The first stage that is not
 * STAGE_STARTING says that it is up.
 */
void master_saw(struct master *master, uint32_t place, enum stage_at at, int64_t since,
		uint32_t steps);
/* A signal has stopped it, or it goes on, since master_look(). */
void master_stopped(struct master *master, uint32_t place, bool stopped);
/*
 * So many connections wait for a worker: there are to be as many as that besides the busy ones. To be
 * told again while they wait.
 */
void master_waiting(struct master *master, uint32_t connections);
/*
 * A child is dead and its place free; `well`: it ended by itself and as it should, `served`: it had
 * answered a request. Returns the ms until another starts in its stead, -1: it was told to end.
 */
int64_t master_died(struct master *master, uint32_t place, bool well, bool served, int64_t now);
/* Another pool serves in our place: what runs has all its time. While serving. */
void master_leave(struct master *master);
/* All is to end. Who waits at the door may do so for `patience_ms`; CLOCK_NEVER: without end. */
void master_drain(struct master *master, int64_t patience_ms, int64_t now);
/* ... now: what runs is broken off. While draining. */
void master_hurry(struct master *master);
/* Nobody has any time. */
void master_kill(struct master *master);

/* What can be asked. */

/* Whether a connection that waits would make more workers. */
bool master_grows(const struct master *master);
/* Whether nobody may wait at the door any more for a pool that follows. */
bool master_turns_away(const struct master *master, int64_t now);

struct master_tally {
	uint32_t living;
	uint32_t fresh;	   /* of this generation, not told to end */
	uint32_t starting; /* of those: not yet up */
	uint32_t old;	   /* of an earlier generation, not told to end */
	uint32_t deaf;	   /* ... told, and idle all the same: they have not heard it yet */
};
/* Counts it among those of its kind. */
void master_tally_add(const struct master *master, const struct master_child *child,
		      struct master_tally *count);
struct master_tally master_count(const struct master *master, enum child_kind kind);

#endif
