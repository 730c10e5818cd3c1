/*
 * What the workers of a host learn of the model servers together, in one shared memory: anonymous
 * under our own pool, a file where another process manager owns the workers.
 */
#ifndef CHAT_MODEL_SHARED_H
#define CHAT_MODEL_SHARED_H

#include <stdint.h>

#include "base/shared_memory.h"
#include "base/status.h"
#include "chat/breaker_memory.h"
#include "chat/reasoning_memory.h"

/* A part more: without pointers; LAYOUT_VERSION of model_shared.c goes up. */
struct model_shared {
	struct shared_layout layout; /* sizes: BREAKER_ENTRIES, REASONING_ENTRIES */
	uint64_t key[2];	     /* random: of the names in it */
	struct breaker_memory breakers;
	struct reasoning_memory reasoning;
};

/*
 * `file` NULL: anonymous memory, to be made before fork. Else that file, as shared_memory_open()
 * does it; *why as there.
 *   STATUS_NOMEM, STATUS_FAILED
 */
enum status model_shared_open(const char *file, struct model_shared **out,
			      const char **why) MUST_CHECK;
void model_shared_close(struct model_shared *shared); /* NULL is fine; a file's content stays */

#endif
