/* Rows of the database, for people and for programs. */
#include "cli/rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/query.h"

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

int cli_print_text(struct str text)
{
	errno = 0;
	return cli_printed(fwrite(text.p, 1, text.n, stdout) == text.n ? STATUS_OK : STATUS_FAILED);
}

int cli_print_table(const struct cli_call *call, struct table *table, bool record)
{
	struct terminal terminal = terminal_of(stdout);
	enum status status = table_print(table, call->form, record, &terminal, stdout);

	table_free(table);
	return cli_printed(status);
}

int cli_print_rows(const struct cli_call *call, const struct db_rows *rows, const char *first,
		   bool record)
{
	int columns = cli_columns(call, rows, record), row, i;
	struct table *table;

	if (table_new(&table))
		return cli_say(CLI_FAILED, "no memory");
	for (i = 0; i < columns; i++)
		table_column(table, first && !i ? first : db_rows_name(rows, i), cli_type(rows, i));
	for (row = 0; row < db_rows_count(rows); row++)
		for (i = 0; i < columns; i++)
			table_cell(table, db_rows_text(rows, row, i));
	return cli_print_table(call, table, record);
}

int cli_run_rows(const struct cli_call *call, cli_rows_fn ask, bool record)
{
	struct db_rows *rows = NULL;
	struct ops ops;
	int code = cli_open(call, &ops);

	if (code == CLI_DONE)
		code = cli_ended(call, &ops, ask(call, &ops, &rows));
	if (code == CLI_DONE)
		code = cli_print_rows(call, rows, NULL, record);
	db_rows_free(rows);
	cli_close(&ops);
	return code;
}

static enum status of_first(const struct cli_call *call, struct ops *ops, struct db_rows **out)
{
	return call->command->rows(ops, call->arguments[0], out);
}

int cli_run_table(const struct cli_call *call)
{
	return cli_run_rows(call, of_first, false);
}

int cli_run_record(const struct cli_call *call)
{
	return cli_run_rows(call, of_first, true);
}
