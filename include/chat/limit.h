/*
 * The limits that a flood must not get past to reach the database: fixed windows per client address
 * (H4), a window of failed keys (G11), and a cap on open exchanges (G10); and the caps of the model
 * servers (S14), which are counted in the same way. One table in shared
 * memory for all workers of the host: anonymous under our own pool, a file where another process
 * manager owns the workers. Guarded by a robust lock: a worker that dies holding it
 * harms nobody. Not for the chatbot's own limit (B4), nor for the caps of keys and workspaces
 * (G10), which count only once the key is known as good: those are the database's.
 */
#ifndef CHAT_LIMIT_H
#define CHAT_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct limit; /* see chat/limit_file.h */

enum limit_kind {
	LIMIT_REQUESTS,	  /* of an address: requests in a window */
	LIMIT_VISITS,	  /* of an address: exchanges with a site key, in a window */
	LIMIT_VISITORS,	  /* of an address: new visitors in a window */
	LIMIT_FAILED_KEY, /* of an address: failed keys in a window */
	LIMIT_OPEN,	  /* of an address: open exchanges */
	LIMIT_SERVER,	  /* of a model server: requests that it has now (chat/breaker) */
};

/*
 * Counts one more for `who` in its fixed window, which begins with its first request. True: within
 * `most`. False: over it (it is counted all the same); *retry_s is then the whole seconds until the
 * window ends, at least 1. `most` 0: no limit, always true.
 */
bool limit_count(struct limit *limit, enum limit_kind kind, struct str who, int64_t most,
		 int64_t window_ms, int64_t *retry_s);

/*
 * A place in the table of holders for a worker that is not ours: the first whose process is gone;
 * its holdings are released. STATUS_UNAVAILABLE: all taken by living processes.
 */
enum status limit_take_holder(struct limit *limit, uint32_t *holder) MUST_CHECK;
/*
 * One more place of `who`, held by `holder` (at most 4 at once each). False: the cap `most` is
 * reached (0: none; nothing is held then).
 */
bool limit_hold(struct limit *limit, uint32_t holder, enum limit_kind kind, struct str who,
		int64_t most);
/* Gives back one place of `who`, if `holder` holds one. */
void limit_give(struct limit *limit, uint32_t holder, enum limit_kind kind, struct str who);
/* How many are open under that name, by all holders; 0 where that cannot be known. */
int64_t limit_open_of(struct limit *limit, enum limit_kind kind, struct str who);
/*
 * Gives back all that `holder` holds: at the end of a request, and by the master when a worker
 * died.
 */
void limit_release(struct limit *limit, uint32_t holder);

#endif
