/* Changes to workspaces, chatbots and keys, told to the person who made them. */
#include "ctl/tenant.h"

#include <stdio.h>

#include "cli/call.h"
#include "cli/query.h"
#include "cli/rows.h"

static int print(const struct cli_call *call, const struct db_rows *rows, bool made)
{
	if (!made || call->form != TABLE_PEOPLE)
		return cli_print_rows(call, rows, NULL, true);
	printf("%.*s\n", STR_ARGS(db_rows_text(rows, 0, 0)));
	return fflush(stdout) ? cli_say(CLI_FAILED, "it was made, but could not be printed")
			      : CLI_DONE;
}

int tenant_change(const struct cli_call *call, int first, tenant_change_fn change, bool made)
{
	struct db_rows *rows = NULL;
	struct buf settings;
	struct ops ops;
	int code;

	buf_init(&settings, 0);
	code = cli_open(call, &ops);
	if (code == CLI_DONE)
		code = cli_changes(call, first, &settings);
	if (code == CLI_DONE)
		code = cli_ended(call, &ops, change(call, &ops, buf_text(&settings), &rows));
	if (code == CLI_DONE)
		code = print(call, rows, made);
	db_rows_free(rows);
	buf_wipe(&settings);
	cli_close(&ops);
	return code;
}

int tenant_revoke(const struct cli_call *call, ops_rows_fn question, ops_rows_fn revoke)
{
	struct db_rows *asked = NULL, *rows = NULL;
	struct ops ops;
	int code = cli_open(call, &ops);

	if (code == CLI_DONE)
		code = cli_ended(call, &ops, question(&ops, call->arguments[0], &asked));
	if (code == CLI_DONE)
		code = cli_ask(call, "%.*s", STR_ARGS(db_rows_text(asked, 0, 1)));
	if (code == CLI_DONE)
		code = cli_ended(call, &ops, revoke(&ops, db_rows_text(asked, 0, 0).p, &rows));
	if (code == CLI_DONE)
		code = print(call, rows, false);
	db_rows_free(asked);
	db_rows_free(rows);
	cli_close(&ops);
	return code;
}
