/* How PostgreSQL is set up: what it writes into its log, what it keeps, whom it has room for. */
#include "doctor/server.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "chat/store.h"

#define POOLER_TRIES 3
#define CONSOLE_MS 5000
#define URL_CAP 8192

/* All of it as the application's own session has it: a role or a database may have its own values. */
#define SETTINGS_QUERY                                                                             \
	"select quote_ident(current_user),"                                                        \
	" current_setting('log_statement') = 'all'"                                                \
	" or current_setting('log_duration')::boolean,"                                            \
	" current_setting('log_min_duration_statement') <> '-1'"                                   \
	" or (current_setting('log_min_duration_sample') <> '-1'"                                  \
	"  and current_setting('log_statement_sample_rate')::float > 0)"                           \
	" or current_setting('log_transaction_sample_rate')::float > 0,"                           \
	" current_setting('log_parameter_max_length') <> '0',"                                     \
	" current_setting('log_parameter_max_length_on_error') <> '0',"                            \
	" coalesce(current_setting('auto_explain.log_min_duration', true), '-1') <> '-1'"          \
	"  and (coalesce(current_setting('auto_explain.log_parameter_max_length', true), '0') <> " \
	"'0'"                                                                                      \
	"   or current_setting('auto_explain.log_verbose', true) = 'on'"                           \
	"   or current_setting('auto_explain.log_nested_statements', true) = 'on'),"               \
	" coalesce(current_setting('pgaudit.log_parameter', true), 'off') = 'on',"                 \
	" current_setting('fsync')::boolean and current_setting('full_page_writes')::boolean,"     \
	" current_setting('synchronous_commit') <> 'off',"                                         \
	" " STORE_SERVER_ROOM ", " STORE_ROOM

enum {
	ROLE,
	LOGS_ALL,
	LOGS_SLOW,
	LOGS_VALUES,
	LOGS_ON_ERROR,
	EXPLAINS,
	AUDITS,
	SAFE_ON_DISK,
	COMMITS,
	OF_SERVER,
	ROOM
};

/* The one leak, and the command (a superuser's) that stops it for the application's role. */
static void see_leak(struct doctor *doctor, struct str role, const char *what, const char *set)
{
	report_find(doctor->report, REPORT_WRONG, "database log",
		    "PostgreSQL writes prompts and answers into its log: %s", what);
	report_step(doctor->report, "as a superuser: alter role %.*s set %s", STR_ARGS(role), set);
	report_step(doctor->report,
		    "then SIGHUP to banter.fcgi, so that its workers connect anew (behind "
		    "PgBouncer: its RECONNECT)");
}

static void see_log(struct doctor *doctor, const struct db_rows *rows)
{
	struct str role = db_rows_text(rows, 0, ROLE);
	bool values = db_rows_boolean(rows, 0, LOGS_VALUES), leaks = false;
	const struct {
		bool leaks;
		const char *what, *set;
	} ways[] = {
		{ values && db_rows_boolean(rows, 0, LOGS_ALL),
		  "log_statement or log_duration, with log_parameter_max_length not 0",
		  "log_parameter_max_length = 0" },
		{ values && db_rows_boolean(rows, 0, LOGS_SLOW),
		  "log_min_duration_statement or a sample, with log_parameter_max_length not 0",
		  "log_parameter_max_length = 0" },
		{ db_rows_boolean(rows, 0, LOGS_ON_ERROR),
		  "log_parameter_max_length_on_error is not 0",
		  "log_parameter_max_length_on_error = 0" },
		{ db_rows_boolean(rows, 0, EXPLAINS), "auto_explain, with values or whole plans",
		  "auto_explain.log_min_duration = -1" },
		{ db_rows_boolean(rows, 0, AUDITS), "pgaudit.log_parameter is on",
		  "pgaudit.log_parameter = off" },
	};
	size_t i;

	for (i = 0; i < COUNT(ways); i++)
		if (ways[i].leaks) {
			see_leak(doctor, role, ways[i].what, ways[i].set);
			leaks = true;
		}
	if (!leaks)
		report_find(doctor->report, REPORT_OK, "database log",
			    "PostgreSQL logs no prompts and no answers");
}

static void see_durability(struct doctor *doctor, const struct db_rows *rows)
{
	if (!db_rows_boolean(rows, 0, SAFE_ON_DISK)) {
		report_find(doctor->report, REPORT_WARNING, "durability",
			    "fsync or full_page_writes is off: a crash of the machine may lose "
			    "answers that were confirmed, or the whole database");
		report_step(doctor->report, "alter system set fsync = on; alter system set "
					    "full_page_writes = on; select pg_reload_conf()");
	}
	if (!db_rows_boolean(rows, 0, COMMITS)) {
		report_find(doctor->report, REPORT_WARNING, "durability",
			    "synchronous_commit is off: a crash may lose the last answers that "
			    "were confirmed");
		report_step(doctor->report, "alter role %.*s set synchronous_commit = on",
			    STR_ARGS(db_rows_text(rows, 0, ROLE)));
	}
}

/* Two clients that are served by one and the same session, one behind the other: a pooler. */
static bool through_pooler(struct doctor *doctor)
{
	static const char sql[] = "select pg_backend_pid()";
	struct db_rows *first = NULL, *second = NULL;
	struct db *other = NULL;
	bool same = false;
	int i;

	if (store_connect(doctor->config, &other))
		return false;
	for (i = 0; i < POOLER_TRIES && !same; i++) {
		first = check_ask(doctor, doctor->db, sql);
		second = check_ask(doctor, other, sql);
		same = first && second &&
		       db_rows_integer(first, 0, 0, 0) == db_rows_integer(second, 0, 0, 0);
		db_rows_free(first);
		db_rows_free(second);
	}
	db_free(other);
	return same;
}

/* The same address, but PgBouncer's own database: the last of two names counts. */
static void console_url(const char *url, struct buf *out)
{
	bool uri = strstr(url, "://");

	buf_printf(out, "%s%sdbname=pgbouncer", url, !uri ? " " : strchr(url, '?') ? "&" : "?");
}

static int64_t console_value(const struct db_rows *rows, const char *name)
{
	int i;

	for (i = 0; i < db_rows_count(rows); i++)
		if (str_equal(db_rows_text(rows, i, 0), str_from(name)))
			return db_rows_integer(rows, i, 1, 0);
	return 0;
}

static struct db_rows *ask_console(struct doctor *doctor)
{
	struct db_target target = {
		.password = doctor->config->database_password,
		.connect_ms = doctor->config->database_connect_ms,
	};
	struct db_rows *rows = NULL;
	struct db *db = NULL;
	struct buf url;

	buf_init(&url, URL_CAP);
	console_url(doctor->config->database_url, &url);
	target.url = buf_text(&url);
	if (db_new(&target, &db) ||
	    db_script(db, "doctor", "show config", clock_ms() + CONSOLE_MS, &rows))
		rows = NULL;
	db_free(db);
	buf_wipe(&url);
	return rows;
}

static void see_pooler(struct doctor *doctor, int64_t room)
{
	int64_t needed = doctor->config->workers.most + STORE_BESIDES, clients, pool;
	struct db_rows *rows = ask_console(doctor);

	clients = console_value(rows, "max_client_conn");
	pool = console_value(rows, "default_pool_size") + console_value(rows, "reserve_pool_size");
	db_rows_free(rows);
	if (!clients) {
		report_find(doctor->report, REPORT_OK, "connections",
			    "a pooler stands between; its console does not let this role in");
		report_step(doctor->report,
			    "see that its max_client_conn is above %" PRId64
			    ", and its pool size at most %" PRId64,
			    needed, room);
	} else if (clients < needed) {
		report_find(doctor->report, REPORT_WRONG, "connections",
			    "PgBouncer lets in %" PRId64 " clients, %" PRId64
			    " workers and what is besides need %" PRId64,
			    clients, doctor->config->workers.most, needed);
		report_step(doctor->report,
			    "max_client_conn = %" PRId64 " in pgbouncer.ini, then RELOAD",
			    2 * needed);
	} else if (pool > room) {
		report_find(doctor->report, REPORT_WARNING, "connections",
			    "PgBouncer may open %" PRId64
			    " connections for this role, PostgreSQL has room for %" PRId64,
			    pool, room);
		report_step(doctor->report,
			    "default_pool_size and reserve_pool_size in pgbouncer.ini: together "
			    "at most %" PRId64,
			    room);
	} else {
		report_find(doctor->report, REPORT_OK, "connections",
			    "PgBouncer lets in %" PRId64 " clients and opens up to %" PRId64
			    " connections",
			    clients, pool);
	}
}

static void see_connections(struct doctor *doctor, const struct db_rows *rows)
{
	int64_t needed = doctor->config->workers.most + STORE_BESIDES,
		room = db_rows_integer(rows, 0, ROOM, 0);

	if (through_pooler(doctor)) {
		see_pooler(doctor, room);
		return;
	}
	if (room >= needed) {
		report_find(doctor->report, REPORT_OK, "connections",
			    "PostgreSQL lets in %" PRId64 ", %" PRId64
			    " workers and what is besides need %" PRId64,
			    room, doctor->config->workers.most, needed);
		return;
	}
	report_find(doctor->report, REPORT_WRONG, "connections",
		    "PostgreSQL lets in %" PRId64 ", %" PRId64
		    " workers and what is besides need %" PRId64 ": the others get 503",
		    room, doctor->config->workers.most, needed);
	if (room == db_rows_integer(rows, 0, OF_SERVER, 0))
		report_step(doctor->report,
			    "alter system set max_connections = %" PRId64
			    ", then restart PostgreSQL",
			    needed + 10);
	else
		report_step(doctor->report,
			    "alter role or database … connection limit %" PRId64 ", or -1 for none",
			    needed);
	report_step(doctor->report, "or fewer workers (BANTER_WORKERS), or PgBouncer between, as "
				    "deploy/pgbouncer/README.md says");
}

void doctor_server(struct doctor *doctor)
{
	struct db_rows *rows;

	if (!doctor->db) {
		report_find(doctor->report, REPORT_UNTRIED, "database log",
			    "the database is not reached");
		return;
	}
	rows = check_ask(doctor, doctor->db, SETTINGS_QUERY);
	if (!rows) {
		report_find(doctor->report, REPORT_WARNING, "database log", "%.*s",
			    STR_ARGS(report_heard(doctor->report)));
		report_step(doctor->report, "try again; PostgreSQL's log says more");
		return;
	}
	see_log(doctor, rows);
	see_durability(doctor, rows);
	see_connections(doctor, rows);
	db_rows_free(rows);
}

void doctor_server_upkeep(struct doctor *doctor)
{
	struct db_rows *rows;
	int64_t lapsed, old;

	if (!doctor->schema || !doctor->owner)
		return;
	rows = check_ask(doctor, doctor->owner,
			 "select lapsed, old_keys from banter.sweep_overdue()");
	if (!rows)
		return;
	lapsed = db_rows_integer(rows, 0, 0, 0);
	old = db_rows_integer(rows, 0, 1, 0);
	db_rows_free(rows);
	if (!lapsed && !old) {
		report_find(doctor->report, REPORT_OK, "upkeep", "nothing waits for a sweep");
		return;
	}
	report_find(doctor->report, REPORT_WARNING, "upkeep",
		    "no sweep has run for long: %" PRId64
		    " exchanges of workers that died still hold credits, %" PRId64
		    " Idempotency-Keys are older than a day",
		    lapsed, old);
	report_step(doctor->report, "banterctl sweep, now and once a day (a timer or cron)");
}
