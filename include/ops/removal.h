/*
 * Deleting a workspace or a chatbot with all that hangs on it. It is shut first; then some at a time,
 * each time for good, beside the traffic of others, so that who stops in between begins again where it
 * was.
 */
#ifndef OPS_REMOVAL_H
#define OPS_REMOVAL_H

#include <stdbool.h>

#include "ops/ops.h"

/* Columns of the question's row. */
enum {
	OPS_REMOVAL_WORKSPACE, /* its number */
	OPS_REMOVAL_CHATBOT,   /* its id; absent: all of the workspace */
	OPS_REMOVAL_ENTRIES,   /* how many are deleted one after the other */
	OPS_REMOVAL_QUESTION,  /* in words */
};
/* Before a workspace is deleted, or one chatbot: what is named, and what to ask. One of both is NULL. */
enum status ops_removal_question(struct ops *ops, const char *workspace, const char *chatbot,
				 struct db_rows **out) MUST_CHECK;

/* Which, as the question's row has it. */
struct ops_removal {
	const char *workspace, *chatbot;
	bool keep_totals; /* of a workspace's ledger, by month and without its name */
};
/* Shuts it. When this returns no exchange begins in it any more. */
enum status ops_removal_begin(struct ops *ops, const struct ops_removal *which) MUST_CHECK;

/* How far it has come: zeroes at first, ops_removal_end() at the end, whatever happened. */
struct ops_removing {
	int64_t entries; /* so far */
	bool ended;
	struct db_rows *last;
};
/* Deletes the next ones, until `ended`. What still runs in it gives its credits back. */
enum status ops_removal_step(struct ops *ops, const struct ops_removal *which,
			     struct ops_removing *removing) MUST_CHECK;
void ops_removal_end(struct ops_removing *removing);

#endif
