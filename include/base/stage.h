/*
 * Where in its exchange a worker is.  The struct lies in the scoreboard (shared memory), so
 * that the master can name the stage a worker died in; lower layers write it through the
 * pointer in `struct wait`.
 */
#ifndef BASE_STAGE_H
#define BASE_STAGE_H

#include <stdatomic.h>
#include <stdint.h>

enum stage_at {
	STAGE_STARTING,
	STAGE_IDLE,    /* waiting for a request */
	STAGE_REQUEST, /* reading one */
	STAGE_BEGIN,   /* recording the exchange */
	STAGE_CONNECT, /* reaching the model */
	STAGE_FIRST,   /* waiting for the model's first byte */
	STAGE_STREAM,  /* relaying its answer */
	STAGE_FINISH,  /* storing the answer */
	STAGE_REPLY,   /* writing the last bytes */
	STAGE_HOLD,    /* the admission process's: requests wait for a worker */
	STAGE_COUNT
};

struct stage {
	_Atomic int at;
	_Atomic int64_t since; /* clock_ms() */
};

/* `stage` may be NULL: then nothing happens. */
void stage_set(struct stage *stage, enum stage_at at);
/* ... for who has just looked at the clock. */
void stage_set_at(struct stage *stage, enum stage_at at, int64_t now);
/* A constant, lower-case name, such as "stream". */
const char *stage_name(int at);

#endif
