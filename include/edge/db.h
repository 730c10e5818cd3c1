/*
 * The database: all of libpq.  One connection a worker, made when first needed and made again when
 * lost.  Calls are asynchronous inside, so that the worker's one wait watches the database too.
 * Works through PgBouncer in transaction mode: no session state, and names of statements only where
 * they are kept (edge/db_prepared), with which nothing fails that would not fail without.
 */
#ifndef EDGE_DB_H
#define EDGE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/wait.h"
#include "edge/db_query.h"
#include "edge/db_rows.h"

struct db;
struct db_throttle; /* edge/db_throttle */

struct db_target {
	const char *url;      /* URI or keywords; "": libpq's PG… variables */
	const char *password; /* "": none, or in the URL */
	/* Where they were read from, for a login that is refused; NULL or "": nowhere. */
	const char *url_file, *password_file;
	int64_t connect_ms; /* most for a connection, all hosts together */
	int64_t idle_ms;    /* one that lay idle for longer is made anew; 0: none is */
};

/*
 * Finds out, before processes are forked, what libpq would ask the system for at each connection of
 * theirs where HOME is not set: the user's folder, where a password file may lie. HOME is set then.
 */
void db_warm(void);
/*
 * STATUS_INVALID if libpq cannot read the URL, keywords or name. What it says of them may quote them.
 * STATUS_NOMEM: nobody knows.
 */
enum status db_url_check(const char *url);
/* Keeps copies. Connects nothing yet. STATUS_NOMEM. */
enum status db_new(const struct db_target *target, struct db **out) MUST_CHECK;
void db_free(struct db *db); /* NULL is fine */
/*
 * Its connections are made in turn with others' from now on. `throttle` is kept by the caller (NULL:
 * nobody counts), `place` is ours in it.
 */
void db_take_turns(struct db *db, struct db_throttle *throttle, uint32_t place);

/*
 * Begins to connect, without a turn, and waits for nothing: what the caller does until its next
 * call costs no time then. That call goes on with it. STATUS_UNAVAILABLE (logged), STATUS_NOMEM.
 */
enum status db_open(struct db *db) MUST_CHECK;
/*
 * The connection, if there is one, is now that of a process that was forked: ours is closed without
 * a word to the server. NULL is fine.
 */
void db_discard(struct db *db);

/*
 * Runs a query to its end, at the isolation level read committed whatever the role's default is.
 * `wait` may be NULL (a program without a pool). `deadline` (clock_ms) bounds it all, connecting and
 * a second try included (not what db_query_patient() allows): after a lost connection, and, where
 * there is an idle_ms, in the middle of the time where one that lay idle gives no answer. *out (may
 * be NULL) is freed with db_rows_free().
 *   STATUS_UNAVAILABLE  no connection, or it was lost, or the server is starting, stopping, full
 *                       (logged)
 *   STATUS_TIMEOUT      the deadline passed; the statement may still take effect
 *                       (logged)
 *   STATUS_FAILED       the server refused the statement
 *                       (logged; what a function of ours raised, in its own words alone)
 *   STATUS_REFUSED      a function of ours raised, and db_take_refusal() wants its words
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
 * The process that the one we are connected to says serves us; 0: not connected. Behind PgBouncer
 * it is none of PostgreSQL's.
 */
int db_backend(const struct db *db);

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

#endif
