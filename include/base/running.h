/*
 * Which exchange a process runs, told to others that may want it to end.  In shared memory, written
 * lock-free: the exchange by who runs it, that it is to end by one other.  What is asked is asked of
 * that exchange alone, not of the next one in its place.
 */
#ifndef BASE_RUNNING_H
#define BASE_RUNNING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"

struct running {
	_Atomic uint32_t number; /* of the exchange, another for each; 0: none runs */
	_Atomic uint32_t ending; /* the number of the one that is to end */
	_Atomic int64_t workspace;
	uint32_t last; /* number that was given */
	char exchange[SECRET_ID_SIZE];
};

/* `running` may be NULL in these three: nobody is told, and nothing is asked. */

/* From here on that one runs. An id of ours; copied. */
void running_begin(struct running *running, int64_t workspace, const char *exchange);
void running_over(struct running *running);
/* Whether somebody wants the exchange that runs to end. Cheap: asked at each wait. */
static inline bool running_is_to_end(const struct running *running)
{
	uint32_t ending;

	if (!running)
		return false;
	ending = atomic_load_explicit(&running->ending, memory_order_relaxed);
	return ending && ending == atomic_load_explicit(&running->number, memory_order_relaxed);
}

/* An exchange as another process reads it. */
struct running_exchange {
	uint32_t number;
	int64_t workspace;
	char exchange[SECRET_ID_SIZE]; /* of what may stand in an id, whatever the memory holds */
};

/* False: none runs, or it changes just now. */
bool running_read(const struct running *running, struct running_exchange *out);
/* The exchange of that number, if it still runs, is to end; its process has to be woken. */
void running_end(struct running *running, uint32_t number);

#endif
