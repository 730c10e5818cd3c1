/*
 * Connecting to the database, a few at a time over all workers of a host: each connection is a
 * process that the server forks, and a thousand that are asked for at once are late all together.
 * In shared memory: anonymous under our own pool, a file where another process manager owns the
 * workers.
 *
 * A place is held for a time at most, so that whoever dies, is stopped or waits for a host that says
 * nothing keeps nobody up for long. Who came first goes first; how long the others are to sleep is
 * reckoned from how long connecting and a first statement take and how many are before them, so
 * nobody wakes anybody. How many at a time: they grow while connecting stays as quick as it was, and
 * go back where it does not; a server that is full, or lets nobody in, is asked by one at a time, with
 * pauses: PostgreSQL 15 does not end while newcomers keep coming.
 */
#ifndef EDGE_DB_THROTTLE_H
#define EDGE_DB_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/robust_lock.h"
#include "base/shared_memory.h"
#include "base/status.h"

#define DB_THROTTLE_FEW 8   /* at a time, to begin with: four a core of a small machine */
#define DB_THROTTLE_MANY 16 /* ... at most */

/* A worker's; all are clock_ms(), 0: it is not so. */
struct db_throttle_one {
	int64_t since;	    /* when it began to wait */
	int64_t by;	    /* it is to ask again by then, or it waits no more */
	int64_t held_at;    /* when it began to connect */
	int64_t held_until; /* its place is another's then, whatever it does */
};

struct db_throttle_memory {
	struct shared_layout layout; /* sizes: how many */
	struct robust_lock lock;
	int64_t few;		    /* as many at a time as now may connect */
	int64_t usual_ms;	    /* how long it takes now */
	int64_t quick_us;	    /* how long it takes if nobody is in the way */
	int64_t rest_until;	    /* the server was full: nobody asks it before then */
	_Atomic int64_t full_until; /* ... and who can does without a connection */
	struct db_throttle_one all[];
};

/* One process's view. */
struct db_throttle {
	struct db_throttle_memory *memory;
	uint32_t places;
};

enum db_throttle_outcome {
	DB_THROTTLE_MADE,
	DB_THROTTLE_FAILED,
	DB_THROTTLE_FULL, /* the server has all the connections that it may have */
	DB_THROTTLE_AWAY, /* it starts, ends or mends itself, and lets nobody in */
};

/*
 * `file` NULL: anonymous memory, to be made before fork. Else that file, as shared_memory_open()
 * does it; *why as there. STATUS_NOMEM, STATUS_FAILED
 */
enum status db_throttle_open(const char *file, uint32_t places, struct db_throttle **out,
			     const char **why) MUST_CHECK;
void db_throttle_close(struct db_throttle *throttle); /* NULL is fine; a file's content stays */

/*
 * 0: it may connect now, and says by db_throttle_end() when it has; others do not wait for it longer
 * than `most_ms`. Else ask again in so many ms.
 */
int64_t db_throttle_take(struct db_throttle *throttle, uint32_t place, int64_t most_ms);
/*
 * It is connected. Its first statement may wait for anything: others wait for that only as long as it
 * can take by what connecting took.
 */
void db_throttle_reached(struct db_throttle *throttle, uint32_t place);
/* A place that was taken, or not: then nothing happens. */
void db_throttle_end(struct db_throttle *throttle, uint32_t place, enum db_throttle_outcome how);
/* The server is full, and others wait: a connection that is not needed is to be given up. */
bool db_throttle_full(const struct db_throttle *throttle);

#endif
