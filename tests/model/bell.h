/*
 * Waiting: for a moment, for a change made by another thread, and always for the client to leave or
 * the program to stop. Each waiting thread polls a descriptor of its own together with its client's
 * socket, so nothing is ever noticed late. It does not know what the change is.
 */
#ifndef MODEL_BELL_H
#define MODEL_BELL_H

#include <pthread.h>
#include <stdint.h>

#include "status.h"

struct listener {
	int fd;
	struct listener *next;
	struct listener **link;
};

/* The lock guards whatever the bell announces changes of. */
struct bell {
	pthread_mutex_t lock;
	struct listener *listeners;
	int stop; /* readable once the program is to end; borrowed */
};

#define MOMENT_NEVER INT64_MAX

/* Nanoseconds of a clock that only goes forward. */
int64_t moment_now(void);

/* STATUS_OK at the moment `due`, at once if it is past; STATUS_LEFT, STATUS_STOPPED before it. */
enum status wait_until(int stop, int client, int64_t due) MUST_CHECK;

void bell_init(struct bell *bell, int stop);
void bell_clear(struct bell *bell);
void bell_lock(struct bell *bell);
void bell_unlock(struct bell *bell);

/* The rest needs the lock held. bell_ring wakes every listener. */
void bell_ring(struct bell *bell);
/* The listener's storage is the caller's, until bell_ignore. STATUS_NO_MEMORY: no descriptor. */
enum status bell_listen(struct bell *bell, struct listener *listener) MUST_CHECK;
void bell_ignore(struct listener *listener);
/*
 * Lets go of the lock until something happens. STATUS_OK: it rang (look again); STATUS_TIMEOUT at
 * `due`; STATUS_LEFT; STATUS_STOPPED.
 */
enum status bell_wait(struct bell *bell, struct listener *listener, int client,
		      int64_t due) MUST_CHECK;

#endif
