/*
 * Answers as they come, for other processes of the pool that want to hear them too. In shared memory
 * that is made before the fork, with a place for each process: who runs an exchange writes its answer
 * there and nowhere else, lock-free; who listens copies what is new, and is woken by a bell. Nobody
 * is written to while nobody listens.
 */
#ifndef BASE_BROADCAST_H
#define BASE_BROADCAST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/status.h"

/* Of one answer, at most. */
#define BROADCAST_LISTENERS 3
/* Of all answers, at once, that are woken; who comes later has to look by itself. */
#define BROADCAST_BELLS 64

struct broadcast;

/* A process's place: for the functions below. */
struct broadcast_place {
	_Atomic uint32_t number; /* of the answer, another for each; 0: none comes */
	_Atomic uint64_t length; /* of it, as far as it may be heard */
	_Atomic uint32_t listeners[BROADCAST_LISTENERS]; /* their places + 1; 0: free */
	_Atomic uint32_t bell; /* of this process as a listener, + 1; 0: none */
	uint32_t last;	       /* number that was given */
	char exchange[SECRET_ID_SIZE];
};

/*
 * For so many processes, with answers of at most `bytes`; of what is not used only addresses are
 * taken. STATUS_NOMEM, STATUS_FAILED: there are no descriptors.
 */
enum status broadcast_new(uint32_t places, size_t bytes, struct broadcast **out) MUST_CHECK;
void broadcast_free(struct broadcast *broadcast); /* NULL is fine */
/* Of the master: that process is dead. Who listened to it is woken, and its own seat is free. */
void broadcast_bury(struct broadcast *broadcast, uint32_t place);

/* Of who runs an exchange; `broadcast` NULL: nobody can listen, and `answer` stays as it is. */

/* `answer`, empty, is kept in the place from here on. An id of ours; copied. */
void broadcast_begin(struct broadcast *broadcast, uint32_t place, const char *exchange,
		     struct buf *answer);
/* Whether somebody listens. */
bool broadcast_heard(const struct broadcast *broadcast, uint32_t place);
/* What `answer` has by now may be heard. Nothing, once it did not fit the place any more. */
void broadcast_tell(struct broadcast *broadcast, uint32_t place, const struct buf *answer);
/* What becomes of it is known: who listens is woken, to ask elsewhere. `answer` stays. */
void broadcast_over(struct broadcast *broadcast, uint32_t place);
/* `answer`, of broadcast_begin(), is cleared, its bytes overwritten and their pages given back. */
void broadcast_end(struct broadcast *broadcast, uint32_t place, struct buf *answer);

/* Of who listens. */

struct broadcast_listener {
	struct broadcast *all;
	struct broadcast_place *place; /* NULL: it does not listen */
	uint32_t own;		       /* its own place */
	uint32_t number;
	int bell; /* to be waited for (base/bell); -1: it is woken by nobody */
};

/*
 * Listens to that exchange's answer, from the process of the place `own`.
 *   STATUS_OK
 *   STATUS_REFUSED      as many listen as may
 *   STATUS_UNAVAILABLE  it does not run here (`all` NULL: nothing does)
 * `out` is to be closed in any case.
 */
enum status broadcast_listen(struct broadcast *all, uint32_t own, const char *exchange,
			     struct broadcast_listener *out) MUST_CHECK;
/*
 * Appends what came behind the first `from` bytes. False: the answer is over, or its process dead;
 * nothing was appended.
 */
bool broadcast_hear(struct broadcast_listener *listener, size_t from, struct buf *out);
void broadcast_leave(struct broadcast_listener *listener);

#endif
