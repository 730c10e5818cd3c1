/* Statements of the operator's, and what becomes of their refusals. */
#include "ops/call.h"

#include <stdio.h>

#include "base/clock.h"

enum status ops_call(struct ops *ops, struct db_query *query, struct db_rows **out)
{
	db_take_refusal(query, ops->refusal, sizeof(ops->refusal));
	return db_call(ops->db, ops->wait, query, clock_ms() + ops->patience_ms, out);
}

enum status ops_refuse(struct ops *ops, enum status status, struct str words)
{
	snprintf(ops->refusal, sizeof(ops->refusal), "%.*s", STR_ARGS(words));
	return status;
}

enum status ops_call_rows(struct ops *ops, const char *name, const char *sql, const char *value,
			  struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, name, sql);
	db_add_input(&query, value);
	return ops_call(ops, &query, out);
}

enum status ops_call_words(struct ops *ops, struct db_query *query)
{
	struct db_rows *rows = NULL;
	enum status status = ops_call(ops, query, &rows);
	struct str words = db_rows_text(rows, 0, 0);

	if (status == STATUS_OK && words.p)
		status = ops_refuse(ops, STATUS_INVALID, words);
	db_rows_free(rows);
	return status;
}

enum status ops_call_judge(struct ops *ops, const char *name, const char *what,
			   const char *settings, const char *new_name)
{
	struct db_query query;

	db_query_init(&query, name,
		      "select banter.settings_refusal("
		      "p_what => $1, p_changes => $2, p_name => $3)");
	db_add_input(&query, what);
	db_add_input(&query, settings);
	db_add_input(&query, new_name);
	return ops_call_words(ops, &query);
}

enum status ops_call_change(struct ops *ops, struct db_query *change, const char *show,
			    struct db_rows **out)
{
	struct db_rows *changed = NULL;
	enum status status = ops_call(ops, change, &changed);

	if (status == STATUS_OK)
		status = ops_call_rows(ops, change->name, show, db_rows_text(changed, 0, 0).p, out);
	db_rows_free(changed);
	return status;
}
