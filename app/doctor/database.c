/* The database as the application and as the operator meet it: reaching it, the schema, the roles. */
#include "doctor/database.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "chat/store.h"
#include "cli/call.h"
#include "cli/query.h"

#define OLDEST 130000	 /* PostgreSQL 13 */
#define CLOCK_APART 2000 /* milliseconds */
#define SLOW_MS 50

/* What the server says to those it does not let in, and what helps. */
static const struct {
	const char *words, *step;
} refusals[] = {
	{ "Peer authentication failed",
	  "run this as the system's user of the role's name, or let the role in by password "
	  "(pg_hba.conf)" },
	{ " authentication failed",
	  "put the role's password into the file that BANTER_DATABASE_PASSWORD_FILE names, or give "
	  "the role another: \\password in psql" },
	{ "no password supplied",
	  "put the role's password into the file that BANTER_DATABASE_PASSWORD_FILE names" },
	{ "no pg_hba.conf entry",
	  "let the role in from this host: a line in PostgreSQL's pg_hba.conf, then select "
	  "pg_reload_conf()" },
	{ "no such user", "name the role in PgBouncer's auth_file" },
	{ "no such database", "name the database in PgBouncer's [databases]" },
	{ "too many", "close other connections, or raise PostgreSQL's max_connections or the "
		      "role's and database's own limits" },
	{ "remaining connection slots",
	  "close other connections, or raise PostgreSQL's max_connections" },
	{ "starting up", "wait until it has started, and try again" },
	{ "shutting down", "start it again" },
	{ "role \"",
	  "make the role: banterctl migrate --role NAME, connected as an owner who may" },
	{ "database \"",
	  "make it: createdb --encoding=UTF8 --template=template0 NAME, then banterctl migrate" },
	{ "could not translate host name", "mend the host's name in the address" },
	{ "oot certificate file",
	  "sslrootcert=/etc/ssl/certs/ca-certificates.crt in the address, or the file of your own "
	  "authority" },
	{ "ertificate", "mend sslmode and sslrootcert in the address" },
	{ "SSL", "mend sslmode in the address" },
	{ "cannot be read",
	  "write % / ? # @ in the password as %25 %2F %3F %23 %40, or keep it in a file that "
	  "BANTER_DATABASE_PASSWORD_FILE names" },
	{ "", "start PostgreSQL, or mend host and port in the address" },
};

static void not_reached(struct doctor *doctor, const char *check, const char *setting)
{
	struct str why = report_heard(doctor->report);
	size_t i = 0;

	report_find(doctor->report, REPORT_WRONG, check, "%.*s", STR_ARGS(why));
	while (*refusals[i].words &&
	       !memmem(why.p, why.n, refusals[i].words, strlen(refusals[i].words)))
		i++;
	report_step(doctor->report, "%s: %s", setting, refusals[i].step);
}

static void see_clock(struct doctor *doctor, int64_t theirs, int64_t before, int64_t after)
{
	int64_t ours = before + (after - before) / 2, apart = theirs - ours;

	if (llabs(apart) <= CLOCK_APART + (after - before))
		return;
	report_find(doctor->report, REPORT_WARNING, "database clock",
		    "the database's clock is %" PRId64 " s %s this machine's: limits and stored "
		    "times follow it, the log does not",
		    (int64_t)llabs(apart) / 1000, apart > 0 ? "ahead of" : "behind");
	report_step(doctor->report,
		    "timedatectl set-ntp true, on the machine whose clock is wrong");
}

static void see_version(struct doctor *doctor, const struct db_rows *rows)
{
	int64_t number = db_rows_integer(rows, 0, 1, 0);
	struct str version = db_rows_text(rows, 0, 0), encoding = db_rows_text(rows, 0, 2),
		   database = db_rows_text(rows, 0, 3);

	if (number < OLDEST) {
		report_find(doctor->report, REPORT_WRONG, "database", "PostgreSQL %.*s is too old",
			    STR_ARGS(version));
		report_step(doctor->report,
			    "upgrade it to 13 or later; 15 is what Banter is tested with");
	} else if (!str_equal(encoding, STR("UTF8"))) {
		report_find(doctor->report, REPORT_WRONG, "database",
			    "%.*s is encoded in %.*s, which cannot hold all that people write",
			    STR_ARGS(database), STR_ARGS(encoding));
		report_step(doctor->report,
			    "createdb --encoding=UTF8 --template=template0 NEW_NAME, name "
			    "it in BANTER_DATABASE_URL, then banterctl migrate");
	} else {
		report_find(doctor->report, REPORT_OK, "database", "PostgreSQL %.*s, %.*s, UTF8",
			    STR_ARGS(version), STR_ARGS(database));
	}
}

static void see_network(struct doctor *doctor, const struct db_rows *rows)
{
	if (db_rows_boolean(rows, 0, 6)) {
		report_find(doctor->report, REPORT_WARNING, "database",
			    "prompts and answers cross the network to it unencrypted");
		report_step(
			doctor->report,
			"sslmode=verify-full and sslrootcert=/etc/ssl/certs/ca-certificates.crt "
			"(or the file of your own authority) in BANTER_DATABASE_URL (behind "
			"PgBouncer: server_tls_sslmode = verify-full there)");
	}
}

static bool reach(struct doctor *doctor)
{
	struct db_rows *rows = NULL;
	int64_t before = clock_wall_ms(), after;

	if (store_connect(doctor->config, &doctor->db) == STATUS_OK)
		rows = check_ask(
			doctor, doctor->db,
			"select current_setting('server_version'),"
			" current_setting('server_version_num')::integer,"
			" pg_encoding_to_char(d.encoding), d.datname, current_user,"
			" (extract(epoch from clock_timestamp()) * 1000)::bigint,"
			" not (inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() = '::1')"
			"  and not coalesce((select s.ssl from pg_stat_ssl s"
			"   where s.pid = pg_backend_pid()), false)"
			" from pg_database d where d.datname = current_database()");
	after = clock_wall_ms();
	if (!rows) {
		not_reached(doctor, "database", "BANTER_DATABASE_URL");
		db_free(doctor->db);
		doctor->db = NULL;
		return false;
	}
	see_version(doctor, rows);
	see_network(doctor, rows);
	see_clock(doctor, db_rows_integer(rows, 0, 5, 0), before, after);
	db_rows_free(rows);
	return true;
}

/* The second call: the connection is there already. */
static void see_latency(struct doctor *doctor)
{
	int64_t before = clock_ms(), ms;
	struct db_rows *rows = check_ask(doctor, doctor->db, "select banter.health()");

	ms = clock_ms() - before;
	if (rows && !db_rows_boolean(rows, 0, 0)) {
		report_find(doctor->report, REPORT_WRONG, "database",
			    "it is read-only: every exchange gets 503");
		report_step(doctor->report,
			    "of several hosts: target_session_attrs=read-write in "
			    "BANTER_DATABASE_URL; else default_transaction_read_only = off for the "
			    "role, or end the recovery");
	} else if (rows && ms > SLOW_MS) {
		report_find(doctor->report, REPORT_WARNING, "database",
			    "a call took %" PRId64 " ms; every exchange makes two", ms);
		report_step(doctor->report,
			    "put the database nearer, on the same machine or network");
	} else if (rows) {
		report_find(doctor->report, REPORT_OK, "database", "a call takes %" PRId64 " ms",
			    ms);
	}
	db_rows_free(rows);
}

static void see_schema_version(struct doctor *doctor)
{
	struct db_rows *rows = check_ask(doctor, doctor->db, "select banter.schema_version()");
	int version = (int)db_rows_integer(rows, 0, 0, 0);

	db_rows_free(rows);
	if (version < STORE_SCHEMA_VERSION) {
		report_find(doctor->report, REPORT_WRONG, "schema",
			    "it has version %d, this program needs %d", version,
			    STORE_SCHEMA_VERSION);
		report_step(doctor->report, "banterctl migrate, as its owner");
		return;
	}
	doctor->schema = true;
	if (version > STORE_SCHEMA_VERSION) {
		report_find(doctor->report, REPORT_WARNING, "schema",
			    "it has version %d, newer than this program's %d", version,
			    STORE_SCHEMA_VERSION);
		report_step(doctor->report, "install the newer program here too");
	} else {
		report_find(doctor->report, REPORT_OK, "schema", "version %d", version);
	}
}

/* Columns of see_schema()'s row. */
enum { THERE, USAGE, EXECUTES, ROLE, SUPERUSER, OWNER, READS, QUOTED };

static void see_roles(struct doctor *doctor, const struct db_rows *rows)
{
	struct str role = db_rows_text(rows, 0, ROLE), quoted = db_rows_text(rows, 0, QUOTED);

	if (db_rows_boolean(rows, 0, SUPERUSER)) {
		report_find(doctor->report, REPORT_WARNING, "roles",
			    "the application connects as the superuser %.*s: a fault in it could "
			    "read and change everything",
			    STR_ARGS(role));
		report_step(doctor->report,
			    "banterctl migrate --role banter_app, and connect as that "
			    "role in BANTER_DATABASE_URL");
	} else if (db_rows_boolean(rows, 0, OWNER)) {
		report_find(doctor->report, REPORT_WARNING, "roles",
			    "one role, %.*s, owns the tables and uses them: a fault in the program "
			    "could read all of them",
			    STR_ARGS(role));
		report_step(doctor->report,
			    "where your host gives you one role, that is how it is; else "
			    "banterctl migrate --role banter_app, and connect as that role "
			    "in BANTER_DATABASE_URL");
	} else if (db_rows_boolean(rows, 0, READS)) {
		report_find(doctor->report, REPORT_WARNING, "roles", "%.*s may read tables",
			    STR_ARGS(role));
		report_step(doctor->report,
			    "banterctl migrate --role %.*s takes that away, unless it came "
			    "with another role it is a member of",
			    STR_ARGS(quoted));
	} else {
		report_find(doctor->report, REPORT_OK, "roles",
			    "%.*s may execute the application's functions and read no table",
			    STR_ARGS(role));
	}
}

static void see_schema(struct doctor *doctor)
{
	struct db_rows *rows = check_ask(
		doctor, doctor->db,
		"select n.oid is not null, coalesce(has_schema_privilege(n.oid, 'usage'), false),"
		/* Of an older schema all that it has: what is wrong with it is said by its version. */
		" (select count(*) > 0 and bool_and(has_function_privilege(p.oid, 'execute'))"
		"  from pg_proc p where p.pronamespace = n.oid and p.proname in"
		"  ('completion_begin', 'exchange_begin', 'exchange_end', 'exchange_leave',"
		"  'health', 'lease_renew', 'messages_read', 'models_list', 'schema_version',"
		"  'stops', 'talk_answer', 'talk_delete', 'talk_feedback', 'talk_stop',"
		"  'talk_stopped', 'talk_stream', 'talks_list', 'visit_begin')),"
		" r.rolname, r.rolsuper, coalesce(pg_has_role(n.nspowner, 'usage'), false),"
		" exists (select from pg_class c join pg_namespace s on s.oid = c.relnamespace"
		"  where s.nspname in ('banter', 'banter_data') and c.relkind in ('r', 'v', 'p')"
		"  and has_table_privilege(c.oid, 'select')), quote_ident(r.rolname)"
		" from pg_roles r left join pg_namespace n on n.nspname = 'banter'"
		" where r.rolname = current_user");
	struct str role = db_rows_text(rows, 0, ROLE), quoted = db_rows_text(rows, 0, QUOTED);

	if (!db_rows_boolean(rows, 0, THERE)) {
		report_find(doctor->report, REPORT_WRONG, "schema", "it is not there");
		report_step(doctor->report,
			    "banterctl migrate --role %.*s, as the database's owner",
			    STR_ARGS(quoted));
	} else if (!db_rows_boolean(rows, 0, USAGE) || !db_rows_boolean(rows, 0, EXECUTES)) {
		report_find(doctor->report, REPORT_WRONG, "roles",
			    "%.*s may not execute the application's functions", STR_ARGS(role));
		report_step(doctor->report, "banterctl migrate --role %.*s, as the schema's owner",
			    STR_ARGS(quoted));
	} else {
		see_schema_version(doctor);
		see_roles(doctor, rows);
		see_latency(doctor);
	}
	db_rows_free(rows);
}

/* The operator's own connection; without one of its own, the application's serves if it may. */
static void reach_as_owner(struct doctor *doctor)
{
	bool own = *doctor->config->admin_database_url;
	struct db_rows *rows = NULL;
	bool owns;

	if (cli_connect(doctor->call, &doctor->owner) == CLI_DONE)
		rows = check_ask(doctor, doctor->owner,
				 "select coalesce((select pg_has_role(n.nspowner, 'usage')"
				 " from pg_namespace n where n.nspname = 'banter_data'), false)");
	owns = db_rows_boolean(rows, 0, 0);
	if (!rows && own)
		not_reached(doctor, "operator", "BANTER_ADMIN_DATABASE_URL");
	if (rows && !owns && doctor->schema) {
		report_find(doctor->report, REPORT_WARNING, "operator",
			    "banterctl connects as a role that does not own the schema: its other "
			    "commands will fail");
		report_step(doctor->report,
			    "BANTER_ADMIN_DATABASE_URL=postgresql://OWNER@HOST/DATABASE "
			    "for banterctl (banter.fcgi does not need it)");
	} else if (owns && own) {
		report_find(doctor->report, REPORT_OK, "operator",
			    "banterctl connects as the owner");
	}
	db_rows_free(rows);
	if (!owns) {
		db_free(doctor->owner);
		doctor->owner = NULL;
	}
}

void doctor_database(struct doctor *doctor)
{
	if (reach(doctor))
		see_schema(doctor);
	else
		report_find(doctor->report, REPORT_UNTRIED, "schema",
			    "the database is not reached");
	reach_as_owner(doctor);
}
