/* For the files of this folder: how an operation asks the database. */
#ifndef OPS_CALL_H
#define OPS_CALL_H

#include "ops/ops.h"

/* Runs a statement; what it raised goes into ops->refusal. `out` may be NULL. */
enum status ops_call(struct ops *ops, struct db_query *query, struct db_rows **out) MUST_CHECK;

/* STATUS_INVALID or STATUS_REFUSED, whichever `status` is, with these words. */
enum status ops_refuse(struct ops *ops, enum status status, struct str words) MUST_CHECK;

/* One value, and one row or several for it. `name` is for logs. */
enum status ops_call_rows(struct ops *ops, const char *name, const char *sql, const char *value,
			  struct db_rows **out) MUST_CHECK;

/* Runs a statement that says what is wrong with what was given: STATUS_INVALID, or NULL: nothing. */
enum status ops_call_words(struct ops *ops, struct db_query *query) MUST_CHECK;

/*
 * Settings of a `what` ("chatbot") and a new name for it (NULL: it keeps its own), held against the
 * database's rules: STATUS_INVALID, or STATUS_OK and nothing is changed yet.
 */
enum status ops_call_judge(struct ops *ops, const char *name, const char *what,
			   const char *settings, const char *new_name) MUST_CHECK;

/* Runs `change`, which says the id of what it changed, then `show` of that id ($1). */
enum status ops_call_change(struct ops *ops, struct db_query *change, const char *show,
			    struct db_rows **out) MUST_CHECK;

#endif
