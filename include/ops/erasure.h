/*
 * Erasing conversations, for whatever reason: no text of them stays in any table. Some at a time, each
 * time for good, so that nobody waits long for a lock and who stops in between loses nothing.
 */
#ifndef OPS_ERASURE_H
#define OPS_ERASURE_H

#include <stdbool.h>

#include "ops/ops.h"

/*
 * Which: what is NULL does not count. Kept longer than their chatbot's retention; or of these ids (a
 * line each), of a chatbot, of a session, of a visitor, of a chatbot's signed-in user, with NAME=VALUE in
 * their metadata, older than an age. A visitor who is named goes too.
 */
struct ops_erasure {
	bool retention;
	const char *conversations, *chatbot, *session, *metadata, *age, *visitor, *user;
};

struct ops_erased {
	int64_t conversations, exchanges;
	int64_t running; /* of the exchanges; only counted before */
};

/* How many there are. */
enum status ops_erasure_count(struct ops *ops, const struct ops_erasure *which,
			      struct ops_erased *out) MUST_CHECK;

/* How far it has come: zeroes at first, ops_erasure_end() at the end, whatever happened. */
struct ops_erasing {
	struct ops_erased erased; /* so far */
	bool ended;
	struct db_rows *last;
};
/* Erases the next ones, until `ended`. */
enum status ops_erasure_step(struct ops *ops, const struct ops_erasure *which,
			     struct ops_erasing *erasing) MUST_CHECK;
void ops_erasure_end(struct ops_erasing *erasing);

#endif
