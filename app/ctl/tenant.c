/*
 * Changes to workspaces, chatbots and keys. What may be set to what, the database knows
 * (setting_rules).
 */
#include "ctl/tenant.h"

#include <stdio.h>

int tenant_judge(struct db *db, const struct db_query *query)
{
	struct db_rows *rows = NULL;
	int code = cli_query(db, query, &rows);
	struct str refusal = db_rows_text(rows, 0, 0);

	if (code == CLI_DONE && refusal.p)
		code = cli_say(CLI_WRONG, "%.*s", STR_ARGS(refusal));
	db_rows_free(rows);
	return code;
}

int tenant_settings(const struct cli_call *call, struct db *db, const char *what, int first,
		    const char *name, struct buf *out)
{
	struct db_query query;
	int code = cli_changes(call, first, out);

	if (code != CLI_DONE)
		return code;
	db_query_init(&query, call->command->name, "select banter.settings_refusal($1, $2, $3)");
	db_add_input(&query, what);
	db_add_input(&query, buf_text(out));
	db_add_input(&query, name);
	return tenant_judge(db, &query);
}

static int print(const struct cli_call *call, const struct db_rows *rows, bool brief)
{
	if (!brief || call->form != TABLE_PEOPLE)
		return cli_print_rows(call, rows, true);
	printf("%.*s\n", STR_ARGS(db_rows_text(rows, 0, 0)));
	return fflush(stdout) ? cli_say(CLI_FAILED, "it was made, but could not be printed")
			      : CLI_DONE;
}

int tenant_change(const struct cli_call *call, struct db *db, const struct db_query *change,
		  const char *show, bool brief)
{
	struct db_rows *changed = NULL, *rows = NULL;
	struct db_query query;
	int code = cli_query(db, change, &changed);

	if (code == CLI_DONE) {
		db_query_init(&query, call->command->name, show);
		db_add_text(&query, db_rows_text(changed, 0, 0));
		code = cli_query(db, &query, &rows);
	}
	if (code == CLI_DONE)
		code = print(call, rows, brief);
	db_rows_free(changed);
	db_rows_free(rows);
	return code;
}

int tenant_set(const struct cli_call *call, const char *what, const char *show)
{
	struct db *db = NULL;
	struct db_query query;
	struct buf settings;
	int code;

	buf_init(&settings, 0);
	code = cli_connect(call, &db);
	if (code == CLI_DONE)
		code = tenant_settings(call, db, what, 1, NULL, &settings);
	if (code == CLI_DONE) {
		db_query_init(&query, call->command->name, call->command->sql);
		db_add_input(&query, call->arguments[0]);
		db_add_input(&query, buf_text(&settings));
		code = tenant_change(call, db, &query, show, false);
	}
	buf_wipe(&settings);
	db_free(db);
	return code;
}

int tenant_revoke(const struct cli_call *call, const char *ask, const char *show)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	struct db *db = NULL;
	int code = cli_connect(call, &db);

	if (code == CLI_DONE) {
		db_query_init(&query, call->command->name, ask);
		db_add_input(&query, call->arguments[0]);
		code = cli_query(db, &query, &rows);
	}
	if (code == CLI_DONE)
		code = cli_ask(call, "%.*s", STR_ARGS(db_rows_text(rows, 0, 1)));
	if (code == CLI_DONE) {
		db_query_init(&query, call->command->name, call->command->sql);
		db_add_text(&query, db_rows_text(rows, 0, 0));
		code = tenant_change(call, db, &query, show, false);
	}
	db_rows_free(rows);
	db_free(db);
	return code;
}
