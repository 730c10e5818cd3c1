/*
 * The database: all of libpq.  One connection a worker, made when first needed and made again when
 * lost.  Calls are asynchronous inside, so that the worker's one wait watches the database too.
 * Works through PgBouncer in transaction mode: no session state, no named statements.
 */
#ifndef EDGE_DB_H
#define EDGE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "base/wait.h"

struct db;
struct db_rows;

struct db_target {
	const char *url;      /* URI or keywords; "": libpq's PG… variables */
	const char *password; /* "": none, or in the URL */
	int64_t connect_ms;   /* most for one attempt to connect */
};

/* False if libpq cannot read the URL, keywords or name. What it says of them may quote them. */
bool db_url_valid(const char *url);
/* Keeps copies. Connects nothing yet. STATUS_NOMEM. */
enum status db_new(const struct db_target *target, struct db **out) MUST_CHECK;
void db_free(struct db *db); /* NULL is fine */

#define DB_MAX_VALUES 24
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
	int time_left; /* which value db_add_time_left() added; -1: none */
	struct db_value values[DB_MAX_VALUES];
};
void db_query_init(struct db_query *query, const char *name, const char *sql);
void db_add_text(struct db_query *query, struct str text); /* borrowed; absent: NULL */
/* NUL-ended, in its text form, for whatever type the statement takes it as; borrowed; NULL: NULL. */
void db_add_input(struct db_query *query, const char *text);
void db_add_integer(struct db_query *query, int64_t value);
void db_add_boolean(struct db_query *query, bool value);
void db_add_null(struct db_query *query);
/*
 * Milliseconds, at least 1, that the statement may wait for locks: 4/5 of what is left until
 * db_call()'s deadline when it is sent, each time anew. So it has given up before we do, and takes
 * no effect behind our back (where a pooler let it wait before that, it may). Once a query.
 */
void db_add_time_left(struct db_query *query);

/*
 * Runs a query to its end. `wait` may be NULL (a program without a pool). `deadline` (clock_ms)
 * bounds it all, connecting and a second try after a lost connection included. *out (may be NULL)
 * is freed with db_rows_free().
 *   STATUS_UNAVAILABLE  no connection, or it was lost, or the server is starting, stopping, full
 *                       (logged)
 *   STATUS_TIMEOUT      the deadline passed; the statement may still take effect
 *                       (logged)
 *   STATUS_FAILED       the server refused the statement
 *                       (logged; what a function of ours raised, in its own words alone)
 *   STATUS_CLOSED, STATUS_STOPPED  as wait_some(), unless it is undisturbed
 */
enum status db_call(struct db *db, struct wait *wait, const struct db_query *query,
		    int64_t deadline, struct db_rows **out) MUST_CHECK;

/*
 * The same without waiting: start, then step until *done. The query must stay as it is until then.
 * A call begun while one is under way ends the older one with its connection.
 */
enum status db_start(struct db *db, struct wait *wait, const struct db_query *query) MUST_CHECK;
enum status db_step(struct db *db, struct wait *wait, bool *done, struct db_rows **out) MUST_CHECK;
bool db_busy(const struct db *db);

/*
 * A script of several statements without values, and so a transaction in several calls. Errors are
 * logged with the server's words (a script holds no secret). As db_call(), but never sent twice.
 */
enum status db_script(struct db *db, const char *name, const char *sql, int64_t deadline,
		      struct db_rows **out) MUST_CHECK;

/*
 * While `on`, a lost connection is not made anew: a transaction that began on it must not go on
 * without its beginning. Calls then end in STATUS_UNAVAILABLE.
 */
void db_hold(struct db *db, bool on);

void db_rows_free(struct db_rows *rows); /* NULL is fine */
int db_rows_count(const struct db_rows *rows);
/* Borrowed from `rows`; absent where NULL. */
struct str db_rows_text(const struct db_rows *rows, int row, int column);
/* `fallback` where NULL. */
int64_t db_rows_integer(const struct db_rows *rows, int row, int column, int64_t fallback);
bool db_rows_boolean(const struct db_rows *rows, int row, int column);
/* What the columns are, for a program that only shows them. */
enum db_type { DB_TEXT, DB_NUMBER, DB_BOOLEAN, DB_JSON };
int db_rows_columns(const struct db_rows *rows);
const char *db_rows_name(const struct db_rows *rows, int column); /* borrowed from `rows` */
enum db_type db_rows_type(const struct db_rows *rows, int column);

#endif
