/* The daily cleaning, part by part, each in small steps. */
#include "ops/retention.h"

#include "base/count.h"
#include "ops/call.h"

#define STEP 1000 /* rows */

static const struct ops_erasure kept_too_long = { .retention = true };

enum status ops_retention_due(struct ops *ops, struct ops_swept *out)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;

	db_query_init(&query, "sweep",
		      "select lost_exchanges, idempotency_keys, rate_windows, conversations,"
		      " exchanges, visitors from banter.sweep_due()");
	status = ops_call(ops, &query, &rows);
	if (status == STATUS_OK)
		*out = (struct ops_swept){
			.leases = db_rows_integer(rows, 0, 0, 0),
			.keys = db_rows_integer(rows, 0, 1, 0),
			.windows = db_rows_integer(rows, 0, 2, 0),
			.conversations = { .conversations = db_rows_integer(rows, 0, 3, 0),
					   .exchanges = db_rows_integer(rows, 0, 4, 0) },
			.visitors = db_rows_integer(rows, 0, 5, 0),
		};
	db_rows_free(rows);
	return status;
}

/* A workspace at a time: a statement that does the next behind $1, says which, and how many. */
static enum status sweep_next(struct ops *ops, struct ops_sweep *sweep, const char *sql,
			      int64_t *count)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;

	db_query_init(&query, "sweep", sql);
	db_add_input(&query, db_rows_text(sweep->last, 0, 0).p);
	status = ops_call(ops, &query, &rows);
	if (status)
		return status;
	*count += db_rows_integer(rows, 0, 1, 0);
	sweep->part += !db_rows_text(rows, 0, 0).p;
	db_rows_free(sweep->last);
	sweep->last = rows;
	return STATUS_OK;
}

static enum status sweep_leases(struct ops *ops, struct ops_sweep *sweep)
{
	return sweep_next(ops, sweep,
			  "select workspace, lost from banter.sweep_leases(p_after => $1)",
			  &sweep->swept.leases);
}

static enum status sweep_visitors(struct ops *ops, struct ops_sweep *sweep)
{
	return sweep_next(ops, sweep,
			  "select workspace, visitors from banter.sweep_visitors("
			  "p_after => $1, p_limit => 1000)",
			  &sweep->swept.visitors);
}

/* A statement that deletes at most $1 rows and says how many. */
static enum status sweep_rows(struct ops *ops, struct ops_sweep *sweep, const char *sql,
			      int64_t *count)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;
	int64_t some;

	db_query_init(&query, "sweep", sql);
	db_add_integer(&query, STEP);
	status = ops_call(ops, &query, &rows);
	some = db_rows_integer(rows, 0, 0, 0);
	db_rows_free(rows);
	if (status)
		return status;
	*count += some;
	sweep->part += some != STEP;
	return STATUS_OK;
}

static enum status sweep_keys(struct ops *ops, struct ops_sweep *sweep)
{
	return sweep_rows(ops, sweep, "select banter.sweep_keys(p_limit => $1)",
			  &sweep->swept.keys);
}

static enum status sweep_windows(struct ops *ops, struct ops_sweep *sweep)
{
	return sweep_rows(ops, sweep, "select banter.sweep_windows(p_limit => $1)",
			  &sweep->swept.windows);
}

static enum status count_conversations(struct ops *ops, struct ops_sweep *sweep)
{
	struct ops_erased due;
	enum status status = ops_erasure_count(ops, &kept_too_long, &due);

	if (status)
		return status;
	sweep->to_erase = due.conversations;
	sweep->erasing = true;
	sweep->part++;
	return STATUS_OK;
}

static enum status sweep_conversations(struct ops *ops, struct ops_sweep *sweep)
{
	enum status status = ops_erasure_step(ops, &kept_too_long, &sweep->erasure);

	sweep->swept.conversations = sweep->erasure.erased;
	sweep->part += sweep->erasure.ended;
	return status;
}

enum status ops_retention_step(struct ops *ops, struct ops_sweep *sweep)
{
	static enum status (*const parts[])(struct ops *, struct ops_sweep *) = {
		sweep_leases,	     sweep_keys,	  sweep_windows,
		count_conversations, sweep_conversations, sweep_visitors,
	};
	enum status status = parts[sweep->part](ops, sweep);

	sweep->ended = sweep->part == COUNT(parts);
	return status;
}

void ops_retention_end(struct ops_sweep *sweep)
{
	db_rows_free(sweep->last);
	sweep->last = NULL;
	ops_erasure_end(&sweep->erasure);
}
