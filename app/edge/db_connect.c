/*
 * Reaching the database.  libpq waits for a name server without end, and for a host that accepts and
 * says nothing too; so names are resolved beside (edge/resolve), libpq is given one address at a
 * time, and each has its share of the time that there is.
 */
#include "edge/db_connect.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "edge/db_attempts.h"
#include "edge/db_secrets.h"
#include "edge/db_throttle.h"
#include "edge/wait_slots.h"

#define WHY_SIZE 512
/* Where one host of several may say nothing, those behind it are not kept up for it. */
#define HELD_MS 200
#define TOO_MANY "53300" /* too_many_connections (PostgreSQL's appendix A) */
#define NOT_NOW "57P03"	 /* cannot_connect_now: it starts, ends, or mends itself */
/* So long no name server is waited for that said nothing, where an address is kept. */
#define NAMES_LATE_MS 60000

/* What is large and seldom written comes last: processes that are forked later go on sharing it. */
struct db_connect {
	struct db_secrets secrets;
	struct resolve *resolve; /* NULL: no name is asked for */
	int asked[DB_PLACES];	 /* which place's name each is */
	PGconn *conn;		 /* NULL while names are waited for */
	PostgresPollingStatusType polling;
	int64_t ms;	    /* all there is for this connection */
	int64_t end_at;	    /* when they are over */
	int64_t by;	    /* for what is under way */
	int64_t names_late; /* until then no name server is waited for, see above */
	bool read_again;    /* the files of secrets, for this connection */
	struct db_throttle *throttle;
	uint32_t place;	       /* in it */
	int64_t turn_since;    /* when its turn was first asked for; 0: it has it, or needs none */
	int64_t patient_until; /* see db_connect_start() */
	int64_t waited_ms;     /* for turns that came */
	enum db_throttle_outcome refused; /* by a server that may do better soon; else FAILED */
	bool spoke;			  /* one did since the beginning: `why` is its word */
	char why[WHY_SIZE];		  /* what the last attempt failed of */
	struct db_attempts attempts;
	struct db_places places; /* none: to be read */
};

enum status db_connect_new(const struct db_target *target, struct db_connect **out)
{
	struct db_connect *connect = calloc(1, sizeof(*connect));

	if (!connect)
		return STATUS_NOMEM;
	if (db_secrets_init(&connect->secrets, target) ||
	    db_places_read(connect->secrets.url, &connect->places)) {
		db_connect_free(connect);
		return STATUS_NOMEM;
	}
	*out = connect;
	return STATUS_OK;
}

void db_connect_take_turns(struct db_connect *connect, struct db_throttle *throttle, uint32_t place)
{
	connect->throttle = throttle;
	connect->place = place;
}

void db_connect_free(struct db_connect *connect)
{
	if (!connect)
		return;
	db_connect_stop(connect);
	db_places_clear(&connect->places);
	db_secrets_clear(&connect->secrets);
	free(connect);
}

static void quiet(void *context, const char *message)
{
	(void)context;
	log_debug("database: %.*s", (int)strcspn(message, "\n"), message);
}

static enum status begin_attempt(struct db_connect *connect, const struct db_attempt *attempt)
{
	const char *names[16], *values[16];
	char timeout[DB_NUMBER_SIZE];
	int n = 0;

#define PASS(name, value) (names[n] = (name), values[n] = (value), n++)
	/* Where URL or PG… variables are silent: a firewall forgets who says nothing for minutes. */
	if (!connect->places.keepalives) {
		PASS("keepalives_idle", "30");
		PASS("keepalives_interval", "10");
		PASS("keepalives_count", "3");
	}
	/* What is not even acknowledged is not waited for: there is time to ask on a new connection. */
	snprintf(timeout, sizeof(timeout), "%" PRId64, connect->ms / 2);
	if (!connect->places.user_timeout)
		PASS("tcp_user_timeout", timeout);
	PASS("dbname", *connect->secrets.url ? connect->secrets.url : NULL);
	PASS("password", *connect->secrets.password ? connect->secrets.password : NULL);
	PASS("fallback_application_name", "banter");
	PASS("client_encoding", "UTF8");
	/* Behind the URL, and so in place of its lists. */
	PASS("host", attempt->place->host);
	PASS("hostaddr", *attempt->address ? attempt->address : NULL);
	PASS("port", attempt->place->port);
	PASS("target_session_attrs", attempt->session);
	PASS(NULL, NULL);
#undef PASS
	connect->conn = PQconnectStartParams(names, values, 1);
	if (!connect->conn)
		return STATUS_NOMEM;
	PQsetNoticeProcessor(connect->conn, quiet, NULL);
	PQsetErrorVerbosity(connect->conn,
			    PQERRORS_VERBOSE);	  /* tells the SQLSTATE, nothing else does */
	connect->polling = PGRES_POLLING_WRITING; /* as libpq's manual demands of the first poll */
	return STATUS_OK;
}

/*
 * A login that was refused may rest on a password that was changed: once a connection the files are
 * read again. True: they have changed; *url: the URL too.
 */
static bool read_again(struct db_connect *connect, bool *url)
{
	bool refused =
		PQconnectionUsedPassword(connect->conn) || PQconnectionNeedsPassword(connect->conn);

	if (!refused || connect->read_again)
		return false;
	connect->read_again = true;
	return db_secrets_read_again(&connect->secrets, url);
}

/*
 * Ends an attempt. libpq's messages end in a line feed and may have several lines. One on what it
 * cannot read quotes it.
 */
static void note_failure(struct db_connect *connect)
{
	const char *why = PQerrorMessage(connect->conn);

	if (db_url_check(connect->secrets.url) == STATUS_INVALID)
		why = "its address cannot be read; is all of its password escaped or quoted?";
	snprintf(connect->why, sizeof(connect->why), "%.*s", (int)strcspn(why, "\n"), why);
	if (strstr(connect->why, " " TOO_MANY ": "))
		connect->refused = DB_THROTTLE_FULL;
	else if (strstr(connect->why, " " NOT_NOW ": ") && connect->refused != DB_THROTTLE_FULL)
		connect->refused = DB_THROTTLE_AWAY;
	log_debug("database: %s", connect->why);
	PQfinish(connect->conn);
	connect->conn = NULL;
}

/* The turn is given back, and waited for anew, as long as there is time. */
static bool ask_again(struct db_connect *connect)
{
	int64_t now = clock_ms();

	if (connect->refused == DB_THROTTLE_FAILED || !connect->throttle ||
	    connect->patient_until == DB_CONNECT_NOW || now >= connect->end_at)
		return false;
	db_throttle_end(connect->throttle, connect->place, connect->refused);
	connect->refused = DB_THROTTLE_FAILED;
	connect->spoke = true;
	connect->turn_since = now;
	connect->patient_until = 0;
	connect->by = now;
	return true;
}

static enum status none_reached(struct db_connect *connect)
{
	if (ask_again(connect))
		return STATUS_OK;
	if (connect->attempts.count > 1)
		log_error("the database cannot be reached at any of %d addresses, the last one: %s",
			  connect->attempts.count, connect->why);
	else
		log_error("the database cannot be reached: %s", connect->why);
	return STATUS_UNAVAILABLE;
}

/* The next attempt, begun; where none is left, names that had no answer so far are waited for. */
static enum status try_next(struct db_connect *connect)
{
	struct db_attempts *attempts = &connect->attempts;
	int64_t now = clock_ms();
	enum status status;

	while (attempts->at < attempts->count && now < connect->end_at) {
		connect->by = now + (connect->end_at - now) / (attempts->count - attempts->at);
		status = begin_attempt(connect, &attempts->all[attempts->at++]);
		if (status || PQstatus(connect->conn) != CONNECTION_BAD)
			return status;
		note_failure(connect);
		now = clock_ms();
	}
	if (!connect->resolve || now >= connect->end_at)
		return none_reached(connect);
	connect->by = connect->end_at;
	return STATUS_OK;
}

static void note_name(struct db_connect *connect, const char *name, const char *why)
{
	snprintf(connect->why, sizeof(connect->why),
		 "could not translate host name \"%s\" to address: %s", name, why);
}

/* Asks for all names at once. */
static void ask_names(struct db_connect *connect)
{
	const char *names[DB_PLACES];
	int i, count = 0;

	for (i = 0; i < connect->places.count; i++)
		if (connect->places.all[i].named) {
			connect->asked[count] = i;
			names[count++] = connect->places.all[i].host;
		}
	if (count && resolve_start(names, count, &connect->resolve))
		note_name(connect, names[0], "no memory"); /* what is kept may do */
}

/* Keeps what has been answered. */
static void take_names(struct db_connect *connect)
{
	int i, count = resolve_count(connect->resolve);
	struct resolve_found found;
	struct db_place *place;

	for (i = 0; i < count; i++) {
		if (!resolve_take(connect->resolve, i, &found))
			continue;
		place = &connect->places.all[connect->asked[i]];
		if (found.count) {
			place->kept = found;
			place->kept_at = clock_ms();
		} else {
			note_name(connect, place->host, found.why);
		}
	}
	if (resolve_pending(connect->resolve))
		return;
	resolve_stop(connect->resolve);
	connect->resolve = NULL;
	connect->names_late = 0;
}

static enum status read_places(struct db_connect *connect)
{
	return connect->places.count ? STATUS_OK
				     : db_places_read(connect->secrets.url, &connect->places);
}

static enum status begin(struct db_connect *connect)
{
	int64_t now = clock_ms();
	enum status status = read_places(connect);

	if (status)
		return status;
	ask_names(connect);
	db_attempts_list(&connect->attempts, &connect->places);
	if (!connect->resolve || (connect->attempts.count && now < connect->names_late))
		return try_next(connect);
	/* Where there is something to try already, a silent name server has a part of the time. */
	connect->by = connect->attempts.count ? now + (connect->end_at - now) / 4 : connect->end_at;
	return STATUS_OK;
}

int64_t db_connect_waited(const struct db_connect *connect)
{
	int64_t until = clock_earlier(clock_ms(), connect->patient_until);

	return connect->waited_ms + (connect->turn_since && until > connect->turn_since
					     ? until - connect->turn_since
					     : 0);
}

static enum status ask_turn(struct db_connect *connect)
{
	int64_t now = clock_ms(), waited = db_connect_waited(connect),
		most = connect->places.count > 1 ? HELD_MS : connect->ms,
		ms = db_throttle_take(connect->throttle, connect->place, most);

	if (!connect->turn_since)
		connect->turn_since = now;
	connect->by = now + ms;
	if (ms && now < connect->end_at + waited - connect->waited_ms)
		return STATUS_OK;
	connect->turn_since = 0;
	if (ms) {
		if (!connect->spoke)
			snprintf(connect->why, sizeof(connect->why),
				 "others connect to it, and its turn did not come in time");
		return none_reached(connect);
	}
	connect->end_at += waited - connect->waited_ms;
	connect->waited_ms = waited;
	return begin(connect);
}

enum status db_connect_start(struct db_connect *connect, int64_t end_at, int64_t patient_until)
{
	int64_t now = clock_ms();
	enum status status;

	db_connect_stop(connect);
	connect->read_again = connect->spoke = false;
	connect->refused = DB_THROTTLE_FAILED;
	connect->waited_ms = 0;
	connect->patient_until = patient_until;
	connect->end_at = end_at;
	connect->ms = end_at > now ? end_at - now : 1;
	snprintf(connect->why, sizeof(connect->why), "no answer within %" PRId64 " ms",
		 connect->ms);
	if (!connect->throttle || patient_until == DB_CONNECT_NOW)
		return begin(connect);
	status = read_places(connect); /* a turn is shorter where there are several */
	return status ? status : ask_turn(connect);
}

static enum status step_names(struct db_connect *connect)
{
	int64_t now = clock_ms();
	int i;

	take_names(connect);
	if (connect->resolve && now < connect->by)
		return STATUS_OK;
	if (connect->resolve)
		connect->names_late = now + NAMES_LATE_MS;
	db_attempts_list(&connect->attempts, &connect->places);
	for (i = 0; connect->resolve && !connect->attempts.count && i < connect->places.count; i++)
		note_name(connect, connect->places.all[i].host, "no answer in time");
	return try_next(connect);
}

/* A failed attempt is followed by the next, or by itself with the password as it is now. */
static enum status step_failed(struct db_connect *connect)
{
	bool url = false, again = read_again(connect, &url);

	note_failure(connect);
	if (again && url) {
		db_places_clear(&connect->places);
		db_attempts_forget(&connect->attempts);
		resolve_stop(connect->resolve);
		connect->resolve = NULL;
		return begin(connect);
	}
	if (again)
		connect->attempts.at--;
	return try_next(connect);
}

static enum status step_silent(struct db_connect *connect)
{
	db_attempts_silent(&connect->attempts);
	PQfinish(connect->conn);
	connect->conn = NULL;
	snprintf(connect->why, sizeof(connect->why), "no answer within %" PRId64 " ms",
		 connect->ms);
	return try_next(connect);
}

enum status db_connect_step(struct db_connect *connect, PGconn **out)
{
	if (connect->turn_since)
		return clock_ms() < connect->by ? STATUS_OK : ask_turn(connect);
	if (!connect->conn)
		return step_names(connect);
	connect->polling = PQconnectPoll(connect->conn);
	if (connect->polling == PGRES_POLLING_FAILED)
		return step_failed(connect);
	if (connect->polling != PGRES_POLLING_OK)
		return clock_ms() < connect->by ? STATUS_OK : step_silent(connect);
	*out = connect->conn;
	connect->conn = NULL;
	if (connect->throttle)
		db_throttle_reached(connect->throttle, connect->place);
	resolve_stop(connect->resolve);
	connect->resolve = NULL;
	return STATUS_OK;
}

void db_connect_watch(const struct db_connect *connect, struct wait *wait)
{
	if (connect->turn_since)
		wait_watch(wait, WAIT_DB, -1, 0);
	else if (!connect->conn)
		wait_watch(wait, WAIT_DB, resolve_fd(connect->resolve), POLLIN);
	else
		wait_watch(wait, WAIT_DB, PQsocket(connect->conn),
			   connect->polling == PGRES_POLLING_WRITING ? POLLOUT : POLLIN);
}

int64_t db_connect_by(const struct db_connect *connect)
{
	return connect->by;
}

void db_connect_settle(struct db_connect *connect)
{
	if (connect->throttle)
		db_throttle_end(connect->throttle, connect->place, DB_THROTTLE_MADE);
}

bool db_connect_wanted(const struct db_connect *connect)
{
	return connect->throttle && db_throttle_full(connect->throttle);
}

/* What was given up since it took too long is remembered, also where nobody came to look in time. */
void db_connect_stop(struct db_connect *connect)
{
	bool late = clock_ms() >= connect->by;

	if (connect->throttle)
		db_throttle_end(connect->throttle, connect->place, DB_THROTTLE_FAILED);
	connect->turn_since = 0; /* who asks again soon keeps it */

	if (connect->conn && late)
		db_attempts_silent(&connect->attempts);
	else if (connect->resolve && !connect->conn && late)
		connect->names_late = clock_ms() + NAMES_LATE_MS;
	PQfinish(connect->conn);
	connect->conn = NULL;
	resolve_stop(connect->resolve);
	connect->resolve = NULL;
}
