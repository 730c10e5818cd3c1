/*
 * The schema brought up to date: forward only, one transaction each migration (or each of its steps:
 * steps.c), then functions and roles in one more. A transaction-level advisory lock lets two run at
 * once: it works through a pooler too.
 */
#include "ctl/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "chat/store.h"
#include "cli/call.h"
#include "cli/query.h"
#include "ctl/sql.h"
#include "ctl/steps.h"

#define SCRIPT_CAP (8 << 20)
#define BEGIN STEPS_BEGIN STEPS_LOCK

/* Begins a transaction under the lock and says the schema's version. */
static enum status begin(struct db *db, int *version)
{
	struct db_rows *rows = NULL;
	enum status status;

	status = steps_script(db, "migrate",
			      BEGIN "create schema if not exists banter_data;"
				    "create table if not exists banter_data.migration ("
				    " version integer primary key,"
				    " name text not null,"
				    " applied_at timestamptz not null default now());"
				    "select coalesce(max(version), 0) from banter_data.migration;",
			      &rows);
	*version = (int)db_rows_integer(rows, 0, 0, 0);
	db_rows_free(rows);
	db_hold(db, status == STATUS_OK);
	return status;
}

static enum status end(struct db *db, const char *how)
{
	enum status status = steps_script(db, "migrate", how, NULL);

	db_hold(db, false);
	return status;
}

/* "migrations/0001_schema.sql" is 1; 0 for other files. */
static int version_of(const char *name)
{
	return strncmp(name, "migrations/", 11) == 0 ? atoi(name + 11) : 0;
}

/* What only a router has (ctl/router). */
static bool of_router(const char *name)
{
	return strncmp(name, "router/", 7) == 0 || strncmp(name, "merge/", 6) == 0;
}

/* That it has been applied; ends the transaction. */
static enum status record(struct db *db, const struct sql_file *file)
{
	struct db_query query;
	enum status status;

	db_query_init(&query, "migrate",
		      "insert into banter_data.migration (version, name) values ($1, $2)");
	db_add_integer(&query, version_of(file->name));
	db_add_text(&query, str_from(file->name + 11));
	status = db_call(db, NULL, &query, clock_ms() + STEPS_MOST_MS, NULL);
	return status ? status : end(db, "commit");
}

/*
 * Outside begin()'s transaction, which looks again behind the guard: who waited there finds it
 * applied.
 */
static enum status apply_steps(struct db *db, struct db *guard, const struct sql_file *file,
			       bool *applied)
{
	enum status status;
	int version;

	status = steps_enter(guard);
	if (status)
		return status;
	status = begin(db, &version);
	if (status == STATUS_OK)
		status = end(db, "rollback");
	*applied = version < version_of(file->name);
	if (status == STATUS_OK && *applied)
		status = steps_run(db, guard, file);
	if (status == STATUS_OK && *applied)
		status = begin(db, &version);
	if (status == STATUS_OK && *applied)
		status = record(db, file);
	steps_leave(guard);
	return status;
}

/* In begin()'s transaction, which it ends. */
static enum status apply(struct db *db, struct db *guard, const struct sql_file *file,
			 bool *applied)
{
	enum status status;

	*applied = true;
	if (steps_wanted(file)) {
		status = end(db, "rollback");
		return status ? status : apply_steps(db, guard, file, applied);
	}
	status = steps_script(db, file->name, file->text, NULL);
	return status ? status : record(db, file);
}

static enum status apply_migrations(struct db *db, struct db *guard)
{
	const struct sql_file *file;
	enum status status;
	bool applied;
	int version;

	for (file = sql_files; file->name; file++) {
		if (!version_of(file->name))
			continue;
		status = begin(db, &version);
		if (status)
			return status;
		if (version > STORE_SCHEMA_VERSION) {
			cli_say(CLI_FAILED,
				"the schema has version %d, newer than this program's %d: use the "
				"newer program",
				version, STORE_SCHEMA_VERSION);
			return STATUS_REFUSED;
		}
		applied = false;
		status = version_of(file->name) <= version ? end(db, "rollback")
							   : apply(db, guard, file, &applied);
		if (status)
			return status;
		if (applied)
			printf("applied %s\n", file->name);
	}
	return STATUS_OK;
}

static enum status apply_functions(struct db *db, const char *role)
{
	const struct sql_file *file;
	enum status status;
	struct db_query query;
	struct buf all;

	buf_init(&all, SCRIPT_CAP);
	for (file = sql_files; file->name; file++)
		if (!version_of(file->name) && !of_router(file->name))
			buf_str(&all, str_from(file->text));
	status = buf_check(&all);
	if (status == STATUS_OK)
		status = steps_script(db, "migrate", BEGIN SCHEMA_ANY_ORDER, NULL);
	db_hold(db, status == STATUS_OK);
	db_query_init(&query, "migrate", "select set_config('banter.app_role', $1, true)");
	db_add_text(&query, str_from(role));
	if (status == STATUS_OK)
		status = db_call(db, NULL, &query, clock_ms() + STEPS_MOST_MS, NULL);
	if (status == STATUS_OK)
		status = steps_script(db, "functions and roles", buf_text(&all), NULL);
	if (status == STATUS_OK)
		status = end(db, "commit");
	buf_clear(&all);
	return status;
}

/* Says what a query that looks for a fault found. CLI_DONE: no row. */
static int look(struct db *db, const struct db_query *query)
{
	struct db_rows *rows = NULL;
	int code = cli_query(db, query, &rows);

	if (code == CLI_DONE && db_rows_count(rows))
		code = cli_say(CLI_FAILED, "%.*s", STR_ARGS(db_rows_text(rows, 0, 0)));
	db_rows_free(rows);
	return code;
}

/* What another role adds, a superuser too, its owner could neither use nor replace later. */
static int look_at_owner(struct db *db)
{
	struct db_query query;

	db_query_init(&query, "migrate",
		      "select format('the schema belongs to %s and you are %s: nothing was done;"
		      " connect as %1$s, or with options=-crole%%3D%1$s in the URL of"
		      " BANTER_ADMIN_DATABASE_URL', pg_get_userbyid(n.nspowner), current_user)"
		      " from pg_namespace n where n.nspname in ('banter', 'banter_data')"
		      " and pg_get_userbyid(n.nspowner) <> current_user limit 1");
	return look(db, &query);
}

/* Only a superuser, or a role that may create roles, can make the application's. */
static int look_for_role(struct db *db, const char *role)
{
	struct db_query query;

	/* As a name, since one that is too long is cut. */
	db_query_init(&query, "migrate",
		      "select format('there is no role %I, and %I may not create it:"
		      " let a superuser do it (create role %1$I login), then run"
		      " banterctl migrate --role %1$I again', $1::name, current_user)"
		      " where not exists (select from pg_roles where rolname = $1::name)");
	db_add_text(&query, str_from(role));
	return look(db, &query);
}

/* A router has none of the tables, and must not get them. */
static int look_for_router(struct db *db)
{
	struct db_query query;

	db_query_init(
		&query, "migrate",
		"select 'this database is a router: banterctl shards migrate brings it and its"
		" partitions up to date' where to_regclass('banter_data.router') is not null");
	return look(db, &query);
}

int schema_migrate(const struct cli_call *call, const char *address, const char *role)
{
	struct db *db = NULL, *guard = NULL;
	enum status status;
	int code;

	code = cli_connect_to(call, address, &db);
	if (code == CLI_DONE)
		code = cli_connect_to(call, address, &guard); /* made when there are steps to run */
	if (code == CLI_DONE)
		code = look_at_owner(db);
	if (code == CLI_DONE)
		code = look_for_router(db);
	if (code == CLI_DONE) {
		status = apply_migrations(db, guard);
		if (status == STATUS_OK)
			status = apply_functions(db, role ? role : "");
		if (status)
			code = cli_say(CLI_FAILED,
				       "the schema was not brought up to date; what was "
				       "committed before stays, run it again");
	}
	if (code == CLI_DONE) {
		printf("the schema has version %d\n", STORE_SCHEMA_VERSION);
		if (role && *role)
			code = look_for_role(db, role);
	}
	db_free(guard);
	db_free(db);
	return code;
}
