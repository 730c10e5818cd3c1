/*
 * A router's functions, made of its partitions' (sql/router/functions_make.sql), in one transaction:
 * who calls meanwhile finds the old ones or the new ones.
 */
#include "ctl/router.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/call.h"
#include "cli/query.h"
#include "ctl/schema.h"
#include "ctl/sql.h"
#include "ctl/steps.h"
#include "wire/frame.h"

#define SCRIPT_CAP (4 << 20)
#define TABLES "router/tables.sql"
/* The first line of a function that a router has as it is. */
#define OWN "-- banter: on a router too\n"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

int router_look(struct db *db)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	int code;

	db_query_init(
		&query, "shards",
		"select case when not r.rolsuper then format('a router is made by a superuser of"
		" its server, as all functions of PL/Proxy are, and %I is none', r.rolname)"
		" when to_regnamespace('banter') is not null and to_regnamespace("
		"'banter_shards') is null then 'this database has conversations of its own:"
		" it can be a partition; a router is another, empty one' end"
		" from pg_roles r where r.rolname = current_user");
	code = cli_query(db, &query, &rows);
	if (code == CLI_DONE && db_rows_text(rows, 0, 0).p)
		code = cli_say(CLI_FAILED, "%.*s", STR_ARGS(db_rows_text(rows, 0, 0)));
	db_rows_free(rows);
	return code;
}

/* What it has of its own, its tables first. */
static enum status run_own(struct db *db)
{
	const struct sql_file *file;
	enum status status;
	struct buf all;

	buf_init(&all, SCRIPT_CAP);
	buf_puts(&all, STEPS_BEGIN STEPS_LOCK SCHEMA_ANY_ORDER);
	for (file = sql_files; file->name; file++)
		if (strcmp(file->name, TABLES) == 0)
			buf_puts(&all, file->text);
	for (file = sql_files; file->name; file++)
		if ((begins(file->name, "router/") && strcmp(file->name, TABLES) != 0) ||
		    begins(file->text, OWN))
			buf_puts(&all, file->text);
	status = buf_check(&all);
	if (status == STATUS_OK)
		status = steps_script(db, "the router", buf_text(&all), NULL);
	buf_clear(&all);
	return status;
}

/* "operator/key_place.sql" is key_place. */
static struct str name_of(const struct sql_file *file)
{
	const char *name = strrchr(file->name, '/');

	name = name ? name + 1 : file->name;
	return (struct str){ name, strcspn(name, ".") };
}

/* Of the functions that others call: what merges them, or null where the router has its own. */
static void put_bodies(struct buf *out)
{
	const struct sql_file *file;
	struct frame frame;

	frame_begin(&frame, out, FRAME_JSON);
	for (file = sql_files; file->name; file++) {
		char name[64];

		snprintf(name, sizeof(name), "%.*s", STR_ARGS(name_of(file)));
		if (begins(file->name, "merge/"))
			frame_string(&frame, name, str_from(file->text));
		else if (begins(file->text, OWN) && !begins(file->name, "inner/"))
			frame_raw(&frame, name, STR("null"));
	}
	frame_end(&frame);
}

/* `sql` with one value, or two. */
static enum status run(struct db *db, const char *sql, const char *value, const char *other)
{
	struct db_query query;

	db_query_init(&query, "the router", sql);
	db_add_input(&query, value);
	if (other)
		db_add_input(&query, other);
	return db_call(db, NULL, &query, clock_ms() + STEPS_MOST_MS, NULL);
}

static enum status run_roles(struct db *db, const char *owner, const char *role)
{
	const struct sql_file *file = sql_files;
	enum status status = run(db, "select set_config('banter.app_role', $1, true)", role, NULL);

	while (strcmp(file->name, "roles.sql") != 0)
		file++;
	if (status == STATUS_OK)
		status = steps_script(db, file->name, file->text, NULL);
	return status ? status
		      : run(db, "select banter_data.rights_make(p_owner => $1, p_role => $2)",
			    owner, role);
}

static enum status make(struct db *db, const struct router *router)
{
	enum status status = run_own(db);
	struct buf bodies;

	buf_init(&bodies, SCRIPT_CAP);
	put_bodies(&bodies);
	db_hold(db, status == STATUS_OK);
	if (status == STATUS_OK)
		status = buf_check(&bodies);
	if (status == STATUS_OK && router->addresses)
		status = run(db,
			     "select banter_data.map_make(p_addresses => array("
			     "select json_array_elements_text($1)))",
			     router->addresses, NULL);
	if (status == STATUS_OK)
		status = run(db,
			     "insert into banter_data.router (partitions, interface)"
			     " select count(*), $1 from banter_data.map()"
			     " on conflict (one) do update set interface = excluded.interface",
			     router->interface, NULL);
	if (status == STATUS_OK)
		status = run(db,
			     "select banter_data.functions_make(p_interface => r.interface,"
			     " p_bodies => $1) from banter_data.router r",
			     buf_text(&bodies), NULL);
	if (status == STATUS_OK)
		status = run_roles(db, router->owner, router->role ? router->role : "");
	if (status == STATUS_OK)
		status = steps_script(db, "the router",
				      "select banter_data.workspaces_place(); commit", NULL);
	db_hold(db, false);
	buf_clear(&bodies);
	return status;
}

int router_make(struct db *db, const struct router *router)
{
	if (make(db, router) == STATUS_OK)
		return CLI_DONE;
	return cli_say(CLI_FAILED, "the router was not made; it is as it was, run it again");
}
