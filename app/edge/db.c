/*
 * All of libpq: connecting, one statement at a time, and what its errors mean to us.
 * Rests on base/wait; knows no statement (see chat/store).
 */
#include "edge/db.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "edge/db_connect.h"
#include "edge/db_pieces.h"
#include "edge/db_prepared.h"
#include "edge/wait_slots.h"

/* raise_exception (PostgreSQL's appendix A): a function of ours says why not. */
#define RAISED "P0001"

/* One that lay idle for so long may be dead without our knowing: half the time is for another. */
#define DOUBT_MS 1000

enum db_state { DB_CLOSED, DB_CONNECTING, DB_READY, DB_SENDING, DB_READING };

struct db {
	struct db_connect *connect;
	int64_t connect_ms, idle_ms;
	PGconn *conn;
	enum db_state state;
	int64_t used_at;  /* the end of the last statement */
	int64_t deadline; /* of the running db_call(); 0: none */
	int64_t until;	  /* ... and of its try that runs */
	bool plain;	  /* the role's default is our level: a statement need not say it */
	bool opened;	  /* db_open() began it, and no call went on with it yet */
	bool fresh;	  /* the connection was made for the running statement */
	bool held;	  /* see db_hold() */
	const char *name;
	const char *script;
	const struct db_query *query;
	struct db_prepared prepared;
	struct db_prepared_one *named; /* by which `query` was sent; NULL: by none */
	bool again;		       /* its name failed it: it is sent once more ... */
	bool unnamed;		       /* ... without one */
	struct db_pieces pieces;
	PGresult *result; /* the last one with rows */
	enum status failed;
};

void db_warm(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user = home && *home ? NULL : getpwuid(geteuid());

	if (user)
		setenv("HOME", user->pw_dir, 1);
}

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

/* The server went without a word; said where there is no second try. */
static enum status lost(const struct db *db)
{
	if (db->failed == STATUS_OK && (db->fresh || db->held))
		log_error("%s: the connection to the database was lost", db->name);
	return STATUS_UNAVAILABLE;
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

/* What is sent: most often the statement alone, with what is still to be found out once a connection. */
static void list_pieces(struct db *db)
{
	struct db_pieces *pieces = &db->pieces;
	bool alone = db->held, look = db->prepared.keeper == DB_KEEPER_UNKNOWN,
	     try = db->prepared.keeper == DB_KEEPER_DOUBTED && db->query->keep,
	     begin = !alone && (!db->plain || try);

	*pieces = (struct db_pieces){ 0 };
	if (!alone && PQtransactionStatus(db->conn) == PQTRANS_INERROR)
		db_pieces_add(pieces, DB_PIECE_ROLLBACK);
	if (begin)
		db_pieces_add(pieces, DB_PIECE_BEGIN);
	if (begin && look)
		db_pieces_add(pieces, DB_PIECE_LOOK);
	if (db->named && db->named->stale)
		db_pieces_add(pieces, DB_PIECE_FORGET);
	if (db->named && (db->named->stale || !db->named->there))
		db_pieces_add(pieces, DB_PIECE_PREPARE);
	db_pieces_add(pieces, DB_PIECE_QUERY);
	if (begin)
		db_pieces_add(pieces, DB_PIECE_COMMIT);
	if (begin && try) {
		db_pieces_add(pieces, DB_PIECE_TRY);
		db_pieces_add(pieces, DB_PIECE_TRY_SEEN);
		db_pieces_add(pieces, DB_PIECE_TRY_END);
	}
}

static enum status send_statement(struct db *db)
{
	bool sent;

	db->pieces = (struct db_pieces){ 0 };
	db->named = NULL;
	if (db->query) {
		/* What is in the middle of a transaction could not be sent again. */
		if (!db->held && !db->unnamed)
			db->named = db_prepared_find(&db->prepared, db->query);
		list_pieces(db);
		sent = db_pieces_send(&db->pieces, db->conn, db->query,
				      db->named ? db->named->name : NULL,
				      db->deadline - clock_ms());
	} else {
		sent = PQsendQuery(db->conn, db->script);
	}
	db->state = DB_SENDING;
	return sent ? STATUS_OK : STATUS_UNAVAILABLE;
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
	db->deadline = 0;
	return start(db, wait);
}

bool db_busy(const struct db *db)
{
	return db->state != DB_CLOSED && db->state != DB_READY;
}

int db_backend(const struct db *db)
{
	return PQbackendPID(db->conn);
}

/*
 * SQLSTATE classes after which the same call may succeed on another try: 08 connection, 40 rollback
 * by the server, 53 resources, 57 operator intervention, 55P03 lock, 25006 a read-only transaction,
 * as on a primary that became a standby (PostgreSQL's appendix A).
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
	if (db->named && db_prepared_failed(&db->prepared, db->named, state)) {
		db->again = true;
		log_debug("%s: sent again without a name: SQLSTATE %s", db->name, state);
		return;
	}
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

static void take_look(struct db *db, const PGresult *result)
{
	db->plain = strcmp(PQgetvalue(result, 0, 0), DB_LEVEL) == 0;
	db_prepared_look(&db->prepared, atoi(PQgetvalue(result, 0, 1)) == PQbackendPID(db->conn));
}

static void take_done(struct db *db, enum db_piece piece)
{
	if (piece == DB_PIECE_PREPARE)
		db->named->there = true;
	else if (piece == DB_PIECE_FORGET)
		db->named->there = db->named->stale = false;
}

static void take_result(struct db *db, PGresult *result)
{
	enum db_piece piece = db_pieces_next(&db->pieces);

	switch (PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
		if (piece == DB_PIECE_LOOK) {
			take_look(db, result);
		} else if (piece == DB_PIECE_TRY_SEEN) {
			db_prepared_tried(&db->prepared, PQntuples(result) > 0);
		} else {
			PQclear(db->result);
			db->result = result;
			return;
		}
		break;
	case PGRES_COMMAND_OK:
		take_done(db, piece);
		break;
	case PGRES_PIPELINE_ABORTED: /* behind the one that failed */
	case PGRES_EMPTY_QUERY:
		break;
	default:
		if (piece >= DB_PIECE_TRY && piece < DB_PIECES)
			db_prepared_tried(&db->prepared, true);
		else if (db->failed == STATUS_OK)
			note_error(db, result);
	}
	PQclear(result);
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
	return PQsetnonblocking(db->conn, 1) ? STATUS_UNAVAILABLE : send_statement(db);
}

static enum status step_statement(struct db *db, bool *done)
{
	PGresult *result;
	int left;

	if (db->state == DB_SENDING) {
		left = PQflush(db->conn);
		if (left < 0)
			return lost(db);
		if (left == 0) {
			db->state = DB_READING;
			return STATUS_OK; /* nobody has answered yet */
		}
	}
	if (!PQconsumeInput(db->conn))
		return lost(db);
	while (!PQisBusy(db->conn)) {
		result = PQgetResult(db->conn);
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			*done = PQexitPipelineMode(db->conn) == 1;
			return *done ? STATUS_OK : lost(db);
		}
		if (result) {
			take_result(db, result);
		} else if (db->pieces.count > 1) {
			db->pieces.at++;
		} else {
			*done = true;
			break;
		}
	}
	return STATUS_OK;
}

enum status db_step(struct db *db, struct wait *wait, bool *done, struct db_rows **out)
{
	enum status status = STATUS_OK;

	*done = false;
	if (db->state == DB_CONNECTING)
		status = step_connect(db);
	if (status == STATUS_OK && (db->state == DB_SENDING || db->state == DB_READING))
		status = step_statement(db, done);
	if (status == STATUS_OK && *done && db->again) {
		*done = db->again = false;
		db->unnamed = true;
		status = send_statement(db);
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

static enum status run(struct db *db, struct wait *wait, int64_t deadline, struct db_rows **out)
{
	bool done = false;
	enum status status;
	int64_t until, end;

	db->until = deadline;
	status = start(db, wait);
	while (status == STATUS_OK) {
		status = db_step(db, wait, &done, out);
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
	struct wait own;

	db->query = query;
	db->script = NULL;
	db->name = query->name;
	db->deadline = deadline;
	if (!wait) {
		wait_init(&own);
		wait = &own;
	}
	return run_twice(db, wait, out);
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
