/*
 * A mutex in shared memory that outlives whoever holds it: the next one to take it is told that its
 * owner died, and mends what that one left.  Rests on robust process-shared mutexes.
 */
#ifndef BASE_ROBUST_LOCK_H
#define BASE_ROBUST_LOCK_H

#include <pthread.h>
#include <stdint.h>

#include "base/status.h"

struct robust_lock {
	pthread_mutex_t mutex;
};

/* Within shared memory, once, by whoever made it. STATUS_FAILED: logged. */
enum status robust_lock_init(struct robust_lock *lock) MUST_CHECK;
/*
 * Takes it, waiting up to `most_ms`: who holds it and stands still must not stop the others. `mend`
 * is called, under the lock, when its last owner died holding it.
 *   STATUS_TIMEOUT, STATUS_FAILED: it is not taken; nothing may be touched
 */
enum status robust_lock_take(struct robust_lock *lock, int64_t most_ms, void (*mend)(void *context),
			     void *context) MUST_CHECK;
void robust_lock_give(struct robust_lock *lock);

/* Keeps the compiler from moving a store past this point; a death is precise, so that is enough. */
#define ROBUST_LOCK_ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

#endif
