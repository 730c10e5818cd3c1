/* Commands that ask the database and show what it says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"

/* An operator waits longer than a client; long work is done in steps. */
#define CALL_MS 300000

static bool refused; /* a statement was, by the server */

int cli_connect(const struct cli_call *call, struct db **out)
{
	const struct config *config = call->config;
	struct db_target target = {
		.url = *config->admin_database_url ? config->admin_database_url
						   : config->database_url,
		.password = config->database_password,
		.connect_ms = config->database_connect_ms,
	};

	if (db_new(&target, out) == STATUS_OK)
		return CLI_DONE;
	return cli_say(CLI_FAILED, "no memory");
}

int cli_query(struct db *db, const struct db_query *query, struct db_rows **out)
{
	enum status status = db_call(db, NULL, query, clock_ms() + CALL_MS, out);

	refused = refused || status == STATUS_FAILED;
	return status ? CLI_FAILED : CLI_DONE;
}

/* On a connection of its own: the one that was refused may be inside a transaction. */
void cli_explain(const struct cli_call *call)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	struct db *db = NULL;
	struct str why;

	if (!refused || cli_connect(call, &db) != CLI_DONE)
		return;
	db_query_init(&query, call->command->name,
		      "select case when s.owner is null then"
		      " 'the schema is not there; banterctl migrate makes it'"
		      " when not pg_has_role(s.owner, 'usage') then format('%s does not own the"
		      " schema; BANTER_ADMIN_DATABASE_URL should name its owner', current_user) end"
		      " from (select (select n.nspowner from pg_namespace n"
		      " where n.nspname = 'banter') as owner) s");
	if (cli_query(db, &query, &rows) == CLI_DONE) {
		why = db_rows_text(rows, 0, 0);
		if (why.p)
			cli_say(CLI_FAILED, "%.*s", STR_ARGS(why));
	}
	db_rows_free(rows);
	db_free(db);
}

enum table_type cli_type(const struct db_rows *rows, int column)
{
	switch (db_rows_type(rows, column)) {
	case DB_NUMBER:
		return TABLE_NUMBER;
	case DB_BOOLEAN:
		return TABLE_BOOLEAN;
	case DB_JSON:
		return TABLE_VALUE;
	default:
		return TABLE_TEXT;
	}
}

int cli_columns(const struct cli_call *call, const struct db_rows *rows, bool record)
{
	bool all = record || call->form != TABLE_PEOPLE;

	return db_rows_columns(rows) - (all ? 0 : call->command->details);
}

int cli_printed(enum status status)
{
	const char *why = errno ? strerror(errno) : NULL;

	if (status == STATUS_OK)
		return CLI_DONE;
	if (status == STATUS_NOMEM)
		why = "no memory";
	return cli_say(CLI_FAILED, "it could not be printed%s%s", why ? ": " : "", why ? why : "");
}

int cli_print_table(const struct cli_call *call, struct table *table, bool record)
{
	struct terminal terminal = terminal_of(stdout);
	enum status status = table_print(table, call->form, record, &terminal, stdout);

	table_free(table);
	return cli_printed(status);
}

int cli_print_rows(const struct cli_call *call, const struct db_rows *rows, bool record)
{
	int columns = cli_columns(call, rows, record), row, i;
	struct table *table;

	if (table_new(&table))
		return cli_say(CLI_FAILED, "no memory");
	for (i = 0; i < columns; i++)
		table_column(table, db_rows_name(rows, i), cli_type(rows, i));
	for (row = 0; row < db_rows_count(rows); row++)
		for (i = 0; i < columns; i++)
			table_cell(table, db_rows_text(rows, row, i));
	return cli_print_table(call, table, record);
}

static int run(const struct cli_call *call, bool record)
{
	const struct cli_command *command = call->command;
	struct db_rows *rows = NULL;
	struct db *db = NULL;
	struct db_query query;
	int code, i;

	db_query_init(&query, command->name, command->sql);
	for (i = 0; i < command->most; i++)
		db_add_input(&query, call->arguments[i]);
	for (i = 0; command->options && command->options[i].name; i++)
		db_add_input(&query, call->values[i]);
	code = cli_connect(call, &db);
	if (code == CLI_DONE)
		code = cli_query(db, &query, &rows);
	if (code == CLI_DONE)
		code = cli_print_rows(call, rows, record);
	db_rows_free(rows);
	db_free(db);
	return code;
}

int cli_run_table(const struct cli_call *call)
{
	return run(call, false);
}

int cli_run_record(const struct cli_call *call)
{
	return run(call, true);
}
