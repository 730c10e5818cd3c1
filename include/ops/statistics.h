/* How much is used, and what ran last. What was erased is not counted. */
#ifndef OPS_STATISTICS_H
#define OPS_STATISTICS_H

#include "ops/ops.h"

struct ops_statistics {
	const char *by; /* "day", "chatbot", "model", "server", "workspace", "error" */
	int64_t days;	/* so many, today included, which are UTC's */
	const char *workspace, *chatbot; /* only of these */
};
#define OPS_STATISTICS_DAYS 3660 /* at most, as the database's function has it */

/*
 * A row for each day, chatbot … (`name`): exchanges, tokens, errors, credits, times; the second
 * column is the count of exchanges.
 */
enum status ops_statistics_usage(struct ops *ops, const struct ops_statistics *which,
				 struct db_rows **out) MUST_CHECK;

/* Columns of the tail's rows: the exchange's id, and the exact time it ended (absent: it runs). */
enum { OPS_TAIL_ID = 16, OPS_TAIL_ENDED = 17 };
/*
 * The exchanges that ended last, at most `limit`, and those that run, without their texts. `since`, an
 * OPS_TAIL_ENDED or "now": none that ended before, but for a few seconds: an exchange's time is taken
 * before its commit, and so a moment must be asked for twice.
 */
enum status ops_statistics_tail(struct ops *ops, const char *chatbot, const char *since,
				int64_t limit, struct db_rows **out) MUST_CHECK;

#endif
