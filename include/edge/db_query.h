/* A statement and its values, put together for edge/db to send. */
#ifndef EDGE_DB_QUERY_H
#define EDGE_DB_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define DB_MAX_VALUES 28
#define DB_NUMBER_SIZE 24

/* A value: text or bytea as bytes; numbers and booleans in their text form. */
struct db_value {
	struct str bytes; /* absent: NULL */
	bool raw;	  /* the bytes as they are, not their text form */
	char number[DB_NUMBER_SIZE];
};
/*
 * A statement with its values. `name` is for logs. It may be sent twice after a lost connection: it
 * must bear that.
 */
struct db_query {
	const char *name;
	const char *sql;
	int count;
	int time_left;	       /* which value db_add_time_left() added; -1: none */
	int until;	       /* ... and db_add_until() */
	bool keep;	       /* see db_query_keep() */
	int64_t patient_until; /* see db_query_patient(); 0: not at all */
	char *refusal;	       /* see db_take_refusal(); NULL: it is logged */
	size_t refusal_size;
	struct db_value values[DB_MAX_VALUES];
};
void db_query_init(struct db_query *query, const char *name, const char *sql);
/*
 * It is asked again and again: kept prepared from its second time on a connection on, where server
 * and pooler can. `sql` must be a constant. Few of a program's are to be.
 */
void db_query_keep(struct db_query *query);
/*
 * Where it must connect first, its turn to (edge/db_throttle) may be waited for until then
 * (clock_ms), beside db_call()'s time, which moves on by what that took.
 */
void db_query_patient(struct db_query *query, int64_t until);
void db_add_text(struct db_query *query, struct str text); /* borrowed; absent: NULL */
/* NUL-ended, in its text form, for whatever type the statement takes it as; borrowed; NULL: NULL. */
void db_add_input(struct db_query *query, const char *text);
void db_add_integer(struct db_query *query, int64_t value);
void db_add_boolean(struct db_query *query, bool value);
void db_add_null(struct db_query *query);
/*
 * Milliseconds, at least 1, that a statement may wait for locks whose answer is wanted in `left_ms`:
 * 4/5 of them. So it has given up before we do, and takes no effect behind our back (where it waited
 * before that, in a pooler or a server that stood still, it may: see db_add_until()).
 */
static inline int64_t db_lock_ms(int64_t left_ms)
{
	int64_t ms = left_ms * 4 / 5;

	return ms > 1 ? ms : 1;
}

/* The same of what is left until db_call()'s deadline when it is sent, each time anew. Once a query. */
void db_add_time_left(struct db_query *query);
/*
 * When those are over, by the server's clock: what a server that stood still has not begun by then is
 * to do nothing. DB_IN_TIME() says so in the statement; it then gives no row, and else gives one. Never
 * where that clock is not known yet. If it went another way than ours, so that there is no row though
 * we still wait, the statement is sent once more without.
 */
void db_add_until(struct db_query *query);
/*
 * The time at which the server was told to begin, which is the same for all of the statement: so PostgreSQL
 * looks at it first, and calls nothing where it is too late. By clock_timestamp() it would only drop the rows.
 */
#define DB_IN_TIME(value) "statement_timestamp() < " value
/*
 * The words that a function of ours raises go there, NUL-ended, cut at `size` bytes, instead of into
 * the log, and the call ends in STATUS_REFUSED: for who can tell them the person that asked.
 */
void db_take_refusal(struct db_query *query, char *words, size_t size);

#endif
