/*
 * The daily cleaning: gives back the credits that dead workers had reserved, forgets idempotency keys and
 * rate windows that count no more, erases conversations that their chatbots keep no longer, and visitors who
 * have none left. It may run beside the pool, and twice at once.
 */
#ifndef OPS_RETENTION_H
#define OPS_RETENTION_H

#include "ops/erasure.h"
#include "ops/ops.h"

struct ops_swept {
	int64_t leases, keys, windows;
	struct ops_erased conversations;
	int64_t visitors;
};

/* What a sweep would find now. */
enum status ops_retention_due(struct ops *ops, struct ops_swept *out) MUST_CHECK;

/* How far a sweep has come: zeroes at first, ops_retention_end() at the end, whatever happened. */
struct ops_sweep {
	struct ops_swept swept; /* so far */
	bool ended;
	bool erasing;	  /* conversations; the parts before are done */
	int64_t to_erase; /* ... so many, where it began with them */
	size_t part;
	struct db_rows *last;
	struct ops_erasing erasure;
};
/* Does the next bit of it, for good, until `ended`. */
enum status ops_retention_step(struct ops *ops, struct ops_sweep *sweep) MUST_CHECK;
void ops_retention_end(struct ops_sweep *sweep);

#endif
