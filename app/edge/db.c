/*
 * The connection's life, and one statement at a time on it, from its start to its end: connected for
 * first, waited for, tried a second time where the connection was lost. Rests on edge/db_connect,
 * edge/db_statement and base/wait; knows no statement (see chat/store).
 */
#include "edge/db.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hot.h"
#include "base/log.h"
#include "edge/db_count.h"
#include "edge/db_failure.h"
#include "edge/db_internal.h"
#include "edge/db_statement.h"
#include "edge/wait_slots.h"

/* One that lay idle for so long may be dead without our knowing: half the time is for another. */
#define DOUBT_MS 1000

void db_warm(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user = home && *home ? NULL : getpwuid(geteuid());

	if (user)
		setenv("HOME", user->pw_dir, 1);
}

enum status db_url_check(const char *url)
{
	bool name = !strchr(url, '=') && strncmp(url, "postgres://", 11) != 0 &&
		    strncmp(url, "postgresql://", 13) != 0; /* as libpq tells: a database's */
	char *wrong = NULL;
	PQconninfoOption *read = name ? NULL : PQconninfoParse(url, &wrong);
	enum status status = name || read ? STATUS_OK : wrong ? STATUS_INVALID : STATUS_NOMEM;

	PQconninfoFree(read);
	PQfreemem(wrong);
	return status;
}

enum status db_new(const struct db_target *target, struct db **out)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return STATUS_NOMEM;
	if (db_connect_new(target, &db->connect)) {
		free(db);
		return STATUS_NOMEM;
	}
	db->connect_ms = target->connect_ms;
	db->idle_ms = target->idle_ms;
	*out = db;
	return STATUS_OK;
}

static void disconnect(struct db *db, struct wait *wait)
{
	if (wait)
		wait_watch(wait, WAIT_DB, -1, 0);
	db_connect_stop(db->connect);
	PQclear(db->result);
	db->result = NULL;
	PQfinish(db->conn);
	db->conn = NULL;
	db->state = DB_CLOSED;
	db->opened = false;
}

void db_discard(struct db *db)
{
	int nothing;

	if (!db || !db->conn)
		return;
	/* Else libpq would end the session of whoever has it now. */
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nothing < 0 || dup2(nothing, PQsocket(db->conn)) < 0)
		close(PQsocket(db->conn));
	if (nothing >= 0)
		close(nothing);
	disconnect(db, NULL);
}

void db_take_turns(struct db *db, struct db_throttle *throttle, uint32_t place)
{
	db_connect_take_turns(db->connect, throttle, place);
}

void db_free(struct db *db)
{
	if (!db)
		return;
	disconnect(db, NULL);
	db_connect_free(db->connect);
	free(db);
}

static enum status begin_connect(struct db *db)
{
	int64_t now = clock_ms(), most = db->connect_ms;

	db->fresh = true; /* whatever comes of it: it is not tried twice */
	db->plain = false;
	db->prepared = (struct db_prepared){ 0 };
	if (db->deadline) /* the statement needs some of it */
		most = clock_earlier(most, (db->deadline - now) * 4 / 5);
	db->state = DB_CONNECTING;
	return db_connect_start(db->connect, now + most,
				!db->deadline ? DB_CONNECT_NOW
				: db->query   ? db->query->patient_until
					      : 0);
}

enum status db_open(struct db *db)
{
	enum status status;

	disconnect(db, NULL);
	db->query = NULL;
	db->deadline = 0;
	status = begin_connect(db);
	if (status == STATUS_OK) /* what can be said without waiting is said */
		status = db_connect_step(db->connect, &db->conn);
	if (status)
		disconnect(db, NULL);
	db->opened = status == STATUS_OK;
	return status;
}

static enum status start(struct db *db, struct wait *wait)
{
	bool stale = db->idle_ms && !db->held && clock_ms() - db->used_at > db->idle_ms;
	bool opened = db->opened;
	enum status status;

	if (!opened && (db->state != DB_READY || stale))
		disconnect(db, wait);
	db->failed = STATUS_OK;
	db->opened = false;
	db->fresh = opened;
	db->again = db->unnamed = false;
	if (opened)
		status = STATUS_OK;
	else if (db->state == DB_READY)
		status = db_statement_send(db);
	else if (db->held)
		status = db_failure_lost(db);
	else
		status = begin_connect(db);
	if (status == STATUS_UNAVAILABLE && !db->fresh && !db->held) {
		disconnect(db, wait);
		status = begin_connect(db);
	}
	if (status)
		disconnect(db, wait);
	return status;
}

enum status db_start(struct db *db, struct wait *wait, const struct db_query *query)
{
	db->query = query;
	db->script = NULL;
	db->name = query->name;
	db->deadline = 0;
	db->began_us = clock_us();
	return start(db, wait);
}

HOT bool db_busy(const struct db *db)
{
	return db->state != DB_CLOSED && db->state != DB_READY;
}

int db_backend(const struct db *db)
{
	return PQbackendPID(db->conn);
}

/* What libpq waits for next, into the worker's wait. */
static void watch(struct db *db, struct wait *wait)
{
	if (wait && db->state == DB_CONNECTING)
		db_connect_watch(db->connect, wait);
	else if (wait)
		wait_watch(wait, WAIT_DB, PQsocket(db->conn),
			   db->state == DB_SENDING ? POLLIN | POLLOUT : POLLIN);
}

static enum status step_connect(struct db *db)
{
	enum status status = STATUS_OK;

	if (!db->conn)
		status = db_connect_step(db->connect, &db->conn);
	if (status || !db->conn)
		return status;
	db->until += db_connect_waited(db->connect);
	db->deadline += db->deadline ? db_connect_waited(db->connect) : 0;
	return PQsetnonblocking(db->conn, 1) ? STATUS_UNAVAILABLE : db_statement_send(db);
}

static enum status take_step(struct db *db, struct wait *wait, bool *done, struct db_rows **out)
{
	enum status status = STATUS_OK;

	*done = false;
	if (db->state == DB_CONNECTING)
		status = step_connect(db);
	if (status == STATUS_OK && (db->state == DB_SENDING || db->state == DB_READING))
		status = db_statement_step(db, done);
	if (status == STATUS_OK && *done && db->again) {
		*done = db->again = false;
		db->unnamed = true;
		status = db_statement_send(db);
	}
	if (status == STATUS_OK && !*done) {
		watch(db, wait);
		return STATUS_OK;
	}
	if (wait)
		wait_watch(wait, WAIT_DB, -1, 0);
	*done = true;
	if (status == STATUS_OK)
		status = db->failed;
	if (status == STATUS_UNAVAILABLE || PQstatus(db->conn) != CONNECTION_OK) {
		disconnect(db, wait);
		return status ? status : STATUS_UNAVAILABLE;
	}
	if (status && db->query && !db->held && PQtransactionStatus(db->conn) != PQTRANS_IDLE) {
		disconnect(db, wait);
		return status;
	}
	db->state = DB_READY;
	db->used_at = clock_ms();
	db_connect_settle(db->connect);
	if (out && status == STATUS_OK) {
		*out = (struct db_rows *)db->result;
		db->result = NULL;
	}
	PQclear(db->result);
	db->result = NULL;
	if (!db->held && db_connect_wanted(db->connect))
		disconnect(db, wait);
	return status;
}

enum status db_step(struct db *db, struct wait *wait, bool *done, struct db_rows **out)
{
	enum status status = take_step(db, wait, done, out);

	if (*done && db->began_us)
		db_count(wait, db->name, db->began_us, status);
	if (*done)
		db->began_us = 0;
	return status;
}

static enum status run(struct db *db, struct wait *wait, int64_t deadline, struct db_rows **out)
{
	bool done = false;
	enum status status;
	int64_t until, end;

	db->until = deadline;
	status = start(db, wait);
	while (status == STATUS_OK) {
		status = take_step(db, wait, &done, out);
		if (status || done)
			return status;
		until = end = db->until;
		if (db->state == DB_CONNECTING) {
			end += db_connect_waited(db->connect);
			until = clock_earlier(end, db_connect_by(db->connect));
		}
		status = wait_some(wait, until);
		if (status == STATUS_TIMEOUT && until < end)
			status = STATUS_OK; /* the next step says what took too long */
		if (status == STATUS_FAILED)
			status =
				STATUS_UNAVAILABLE; /* not even to be waited for: as if it was lost */
	}
	if (status == STATUS_TIMEOUT && clock_ms() >= db->deadline)
		log_error("%s: no answer from the database in time", db->name);
	disconnect(db, wait);
	return status;
}

/*
 * A connection that lay idle may have been lost without our seeing it: once more on a new one. If a
 * firewall has forgotten it, nothing says so: then half the time is for that.
 */
static enum status run_twice(struct db *db, struct wait *wait, struct db_rows **out)
{
	int64_t now = clock_ms(), idle = now - db->used_at, first = db->deadline;
	bool doubted = db->idle_ms && db->state == DB_READY && !db->held && idle >= DOUBT_MS;
	enum status status;

	if (doubted)
		first = now + (db->deadline - now) / 2;
	status = run(db, wait, first, out);
	if (status == STATUS_TIMEOUT && doubted && !db->fresh && clock_ms() < db->deadline)
		status = STATUS_UNAVAILABLE;
	if (status == STATUS_UNAVAILABLE && !db->fresh && !db->held)
		status = run(db, wait, db->deadline, out);
	return status;
}

enum status db_call(struct db *db, struct wait *wait, const struct db_query *query,
		    int64_t deadline, struct db_rows **out)
{
	int64_t began = clock_us();
	enum status status;
	struct wait own;

	db->began_us = 0;
	db->query = query;
	db->script = NULL;
	db->name = query->name;
	db->deadline = deadline;
	if (!wait) {
		wait_init(&own);
		wait = &own;
	}
	status = run_twice(db, wait, out);
	db_count(wait, query->name, began, status);
	return status;
}

enum status db_script(struct db *db, const char *name, const char *sql, int64_t deadline,
		      struct db_rows **out)
{
	struct wait wait;

	wait_init(&wait);
	db->query = NULL;
	db->script = sql;
	db->name = name;
	db->deadline = deadline;
	return run(db, &wait, deadline, out);
}

void db_hold(struct db *db, bool on)
{
	db->held = on;
}
