/*
 * All of libpq: connecting, one statement at a time, and what its errors mean to us.
 * Rests on base/wait; knows no statement (see chat/store).
 */
#include "edge/db.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "edge/wait_slots.h"

/* raise_exception (PostgreSQL's appendix A): a function of ours says why not. */
#define RAISED "P0001"

enum db_state { DB_CLOSED, DB_CONNECTING, DB_READY, DB_SENDING, DB_READING };

struct db {
	char *url;
	char *password;
	int64_t connect_ms;
	PGconn *conn;
	enum db_state state;
	PostgresPollingStatusType polling;
	int64_t connect_by;
	int64_t deadline; /* of the running db_call() */
	bool fresh;	  /* the connection was made for the running statement */
	bool held;	  /* see db_hold() */
	const char *name;
	const char *script;
	const struct db_query *query;
	PGresult *result; /* the last one with rows */
	enum status failed;
};

bool db_url_valid(const char *url)
{
	bool name = !strchr(url, '=') && strncmp(url, "postgres://", 11) != 0 &&
		    strncmp(url, "postgresql://", 13) != 0; /* as libpq tells: a database's */
	PQconninfoOption *read = name ? NULL : PQconninfoParse(url, NULL);

	PQconninfoFree(read);
	return name || read;
}

enum status db_new(const struct db_target *target, struct db **out)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return STATUS_NOMEM;
	db->url = strdup(target->url);
	db->password = strdup(target->password);
	db->connect_ms = target->connect_ms;
	if (!db->url || !db->password) {
		db_free(db);
		return STATUS_NOMEM;
	}
	*out = db;
	return STATUS_OK;
}

static void disconnect(struct db *db, struct wait *wait)
{
	if (wait)
		wait_watch(wait, WAIT_DB, -1, 0);
	PQclear(db->result);
	db->result = NULL;
	PQfinish(db->conn);
	db->conn = NULL;
	db->state = DB_CLOSED;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	disconnect(db, NULL);
	if (db->url) /* it may have the password in it */
		explicit_bzero(db->url, strlen(db->url));
	free(db->url);
	if (db->password)
		explicit_bzero(db->password, strlen(db->password));
	free(db->password);
	free(db);
}

/*
 * libpq's messages end in a line feed and may have several lines. One on what it cannot read quotes
 * it.
 */
static void log_connection(const struct db *db)
{
	const char *why = PQerrorMessage(db->conn);

	if (!db_url_valid(db->url))
		why = "its address cannot be read; is all of its password escaped or quoted?";
	log_error("the database cannot be reached: %.*s", (int)strcspn(why, "\n"), why);
}

static void quiet(void *context, const char *message)
{
	(void)context;
	log_debug("database: %.*s", (int)strcspn(message, "\n"), message);
}

/* The server went without a word; said where there is no second try. */
static enum status lost(const struct db *db)
{
	if (db->failed == STATUS_OK && (db->fresh || db->held))
		log_error("%s: the connection to the database was lost", db->name);
	return STATUS_UNAVAILABLE;
}

static enum status begin_connect(struct db *db)
{
	const char *names[] = { "dbname", "password", "fallback_application_name",
				"client_encoding", NULL };
	const char *values[] = { *db->url ? db->url : NULL, *db->password ? db->password : NULL,
				 "banter", "UTF8", NULL };

	db->fresh = true; /* whatever comes of it: it is not tried twice */
	db->conn = PQconnectStartParams(names, values, 1);
	if (!db->conn)
		return STATUS_NOMEM;
	if (PQstatus(db->conn) == CONNECTION_BAD) {
		log_connection(db);
		return STATUS_UNAVAILABLE;
	}
	PQsetNoticeProcessor(db->conn, quiet, NULL);
	db->state = DB_CONNECTING;
	db->polling = PGRES_POLLING_WRITING; /* as libpq's manual demands of the first poll */
	db->connect_by = clock_ms() + db->connect_ms;
	return STATUS_OK;
}

/* As db_add_time_left() promises. */
static void time_left(const struct db *db, char out[DB_NUMBER_SIZE])
{
	snprintf(out, DB_NUMBER_SIZE, "%" PRId64, db_lock_ms(db->deadline - clock_ms()));
}

static enum status send_statement(struct db *db)
{
	const char *values[DB_MAX_VALUES];
	int lengths[DB_MAX_VALUES], formats[DB_MAX_VALUES], i, sent;
	const struct db_query *query = db->query;
	char left[DB_NUMBER_SIZE];

	if (!query) {
		sent = PQsendQuery(db->conn, db->script);
	} else {
		for (i = 0; i < query->count; i++) {
			values[i] = query->values[i].bytes.p;
			lengths[i] = (int)query->values[i].bytes.n;
			formats[i] = query->values[i].raw;
		}
		if (query->time_left >= 0) {
			time_left(db, left);
			values[query->time_left] = left;
		}
		sent = PQsendQueryParams(db->conn, query->sql, query->count, NULL, values, lengths,
					 formats, 0);
	}
	db->state = DB_SENDING;
	return sent ? STATUS_OK : STATUS_UNAVAILABLE;
}

static enum status start(struct db *db, struct wait *wait)
{
	enum status status;

	if (db->state != DB_READY)
		disconnect(db, wait);
	db->failed = STATUS_OK;
	db->fresh = false;
	if (db->state == DB_READY)
		status = send_statement(db);
	else if (db->held)
		status = lost(db);
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
	return start(db, wait);
}

bool db_busy(const struct db *db)
{
	return db->state != DB_CLOSED && db->state != DB_READY;
}

/*
 * SQLSTATE classes after which the same call may succeed on another try: 08 connection, 40 rollback
 * by the server, 53 resources, 57 operator intervention, 55P03 lock (PostgreSQL's appendix A).
 */
static bool may_pass(const char *state)
{
	static const char *const classes[] = { "08", "40", "53", "57", "55P03", "25006" };
	size_t i;

	for (i = 0; i < COUNT(classes); i++)
		if (strncmp(state, classes[i], strlen(classes[i])) == 0)
			return true;
	return false;
}

static void note_error(struct db *db, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (!state)
		state = "08006"; /* libpq's own: the connection is gone */
	/* Classes 22 and 23 quote values, which may be a person's words. */
	if (!words || (db->query && (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0)))
		words = "see the server's log";
	if (strcmp(state, RAISED) == 0 && db->query && db->query->refusal) {
		db->failed = STATUS_REFUSED;
		snprintf(db->query->refusal, db->query->refusal_size, "%s", words);
		return;
	}
	if (strcmp(state, RAISED) == 0) {
		db->failed = STATUS_FAILED;
		log_error("%s", words);
		return;
	}
	if (!may_pass(state)) {
		db->failed = STATUS_FAILED;
		log_error("%s failed in the database: SQLSTATE %s: %s", db->name, state, words);
		return;
	}
	db->failed = STATUS_UNAVAILABLE;
	if (db->fresh || db->held)
		log_error("%s: the database is not available: SQLSTATE %s: %s", db->name, state,
			  words);
}

static void take_result(struct db *db, PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
		PQclear(db->result);
		db->result = result;
		return;
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		break;
	default:
		if (db->failed == STATUS_OK)
			note_error(db, result);
	}
	PQclear(result);
}

/* What libpq waits for next, into the worker's wait. */
static void watch(struct db *db, struct wait *wait)
{
	short events = POLLIN;

	if (!wait)
		return;
	if (db->state == DB_CONNECTING)
		events = db->polling == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
	else if (db->state == DB_SENDING)
		events = POLLIN | POLLOUT;
	wait_watch(wait, WAIT_DB, PQsocket(db->conn), events);
}

static enum status step_connect(struct db *db, struct wait *wait)
{
	db->polling = PQconnectPoll(db->conn);
	if (db->polling == PGRES_POLLING_FAILED) {
		log_connection(db);
		return STATUS_UNAVAILABLE;
	}
	if (db->polling != PGRES_POLLING_OK) {
		watch(db, wait);
		return STATUS_OK;
	}
	if (PQsetnonblocking(db->conn, 1))
		return STATUS_UNAVAILABLE;
	return send_statement(db);
}

static enum status step_statement(struct db *db, bool *done)
{
	PGresult *result;
	int left;

	if (db->state == DB_SENDING) {
		left = PQflush(db->conn);
		if (left < 0)
			return lost(db);
		if (left == 0)
			db->state = DB_READING;
	}
	if (!PQconsumeInput(db->conn))
		return lost(db);
	while (!PQisBusy(db->conn)) {
		result = PQgetResult(db->conn);
		if (!result) {
			*done = true;
			break;
		}
		take_result(db, result);
	}
	return STATUS_OK;
}

enum status db_step(struct db *db, struct wait *wait, bool *done, struct db_rows **out)
{
	enum status status = STATUS_OK;

	*done = false;
	if (db->state == DB_CONNECTING) {
		status = step_connect(db, wait);
		if (status == STATUS_OK && db->state == DB_CONNECTING &&
		    clock_ms() >= db->connect_by) {
			log_error("the database cannot be reached: no answer within %" PRId64 " ms",
				  db->connect_ms);
			status = STATUS_UNAVAILABLE;
		}
	}
	if (status == STATUS_OK && (db->state == DB_SENDING || db->state == DB_READING))
		status = step_statement(db, done);
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
	db->state = DB_READY;
	if (out && status == STATUS_OK) {
		*out = (struct db_rows *)db->result;
		db->result = NULL;
	}
	PQclear(db->result);
	db->result = NULL;
	return status;
}

static enum status run(struct db *db, struct wait *wait, int64_t deadline, struct db_rows **out)
{
	enum status status = start(db, wait);
	bool done = false;
	int64_t until;

	while (status == STATUS_OK) {
		status = db_step(db, wait, &done, out);
		if (status || done)
			return status;
		until = db->state == DB_CONNECTING ? clock_earlier(deadline, db->connect_by)
						   : deadline;
		status = wait_some(wait, until);
		if (status == STATUS_TIMEOUT && until < deadline)
			status = STATUS_OK; /* the next step says that connecting took too long */
	}
	if (status == STATUS_TIMEOUT)
		log_error("%s: no answer from the database in time", db->name);
	disconnect(db, wait);
	return status;
}

/* A connection that lay idle may have been lost without our seeing it: once more on a new one. */
static enum status run_twice(struct db *db, struct wait *wait, int64_t deadline,
			     struct db_rows **out)
{
	struct wait own;
	enum status status;

	if (!wait) {
		wait_init(&own);
		wait = &own;
	}
	status = run(db, wait, deadline, out);
	if (status == STATUS_UNAVAILABLE && !db->fresh && !db->held)
		status = run(db, wait, deadline, out);
	return status;
}

enum status db_call(struct db *db, struct wait *wait, const struct db_query *query,
		    int64_t deadline, struct db_rows **out)
{
	db->query = query;
	db->script = NULL;
	db->name = query->name;
	db->deadline = deadline;
	return run_twice(db, wait, deadline, out);
}

enum status db_script(struct db *db, const char *name, const char *sql, int64_t deadline,
		      struct db_rows **out)
{
	struct wait wait;

	wait_init(&wait);
	db->query = NULL;
	db->script = sql;
	db->name = name;
	return run(db, &wait, deadline, out);
}

void db_hold(struct db *db, bool on)
{
	db->held = on;
}
