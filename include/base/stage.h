/*
 * Where in its exchange a worker is, and that it gets on.  The struct lies in the scoreboard (shared
 * memory), so that the master can name the stage a worker died in; lower layers write it through the
 * pointer in `struct wait`.
 */
#ifndef BASE_STAGE_H
#define BASE_STAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

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
	STAGE_HOLD,    /* the admission process's: somebody waits there */
	STAGE_WATCH,   /* the stopper's: exchanges run, which may be to end */
	STAGE_COUNT
};

#define STAGE_REQUEST_SIZE 129 /* an X-Request-Id (G5) and its end */

struct stage {
	_Atomic int at;
	_Atomic uint32_t steps; /* one more with each step of progress; begins anew at 0 */
	_Atomic int64_t since;	/* clock_ms() */
	/* The id of the request it serves; "": none, or not read yet. */
	char request[STAGE_REQUEST_SIZE];
};

/* `stage` may be NULL: then nothing happens. */
void stage_set(struct stage *stage, enum stage_at at);
/* ... for who has just looked at the clock. */
void stage_set_at(struct stage *stage, enum stage_at at, int64_t now);
/* Something came or went: a token, a beat, an answer of the database. Cheap: no clock, no lock. */
static inline void stage_step(struct stage *stage)
{
	/* Nobody else writes it. */
	if (stage)
		atomic_store_explicit(&stage->steps,
				      atomic_load_explicit(&stage->steps, memory_order_relaxed) + 1,
				      memory_order_relaxed);
}
/* From here on it serves that request; absent: none. What is too long is cut. */
void stage_request(struct stage *stage, struct str id);
/*
 * The id as another process reads it, who may meet it half written: only what may stand in an id is
 * taken over.
 */
void stage_read_request(const struct stage *stage, char out[STAGE_REQUEST_SIZE]);
/* A constant, lower-case name, such as "stream". */
const char *stage_name(int at);

#endif
