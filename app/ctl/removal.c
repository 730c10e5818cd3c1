/*
 * Deleting a workspace or a chatbot with a person there: what goes, whether that is meant, how far it
 * is.
 */
#include "ctl/removal.h"

#include <stdio.h>

#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/query.h"
#include "ops/removal.h"

/* Stops at an interrupt. */
static int remove_all(const struct cli_call *call, struct ops *ops, const struct ops_removal *which,
		      int64_t total, bool *ended)
{
	struct ops_removing removing = { .ended = false };
	int code = cli_ended(call, ops, ops_removal_begin(ops, which));

	while (code == CLI_DONE && !removing.ended && !interrupt_came()) {
		progress_show("deleting", removing.entries, total);
		code = cli_ended(call, ops, ops_removal_step(ops, which, &removing));
	}
	progress_end();
	ops_removal_end(&removing);
	*ended = removing.ended;
	return code;
}

static int run(const struct cli_call *call, struct ops *ops, const struct db_rows *asked)
{
	const struct ops_removal which = {
		.workspace = db_rows_text(asked, 0, OPS_REMOVAL_WORKSPACE).p,
		.chatbot = db_rows_text(asked, 0, OPS_REMOVAL_CHATBOT).p,
		.keep_totals = cli_value(call, "--keep-totals") != NULL,
	};
	bool ended = false;
	int code;

	code = cli_ask(call, "%.*s", STR_ARGS(db_rows_text(asked, 0, OPS_REMOVAL_QUESTION)));
	if (code != CLI_DONE)
		return code;
	interrupt_catch();
	code = remove_all(call, ops, &which, db_rows_integer(asked, 0, OPS_REMOVAL_ENTRIES, 0),
			  &ended);
	if (code == CLI_DONE && ended) {
		printf("%s is deleted\n", call->arguments[0]);
		return CLI_DONE;
	}
	return cli_say(CLI_FAILED, "stopped before all was deleted; run it again for the rest");
}

static int run_for(const struct cli_call *call, const char *workspace, const char *chatbot)
{
	struct db_rows *asked = NULL;
	struct ops ops;
	int code = cli_open(call, &ops);

	if (code == CLI_DONE)
		code = cli_ended(call, &ops,
				 ops_removal_question(&ops, workspace, chatbot, &asked));
	if (code == CLI_DONE)
		code = run(call, &ops, asked);
	db_rows_free(asked);
	cli_close(&ops);
	return code;
}

int removal_run_workspace(const struct cli_call *call)
{
	return run_for(call, call->arguments[0], NULL);
}

int removal_run_chatbot(const struct cli_call *call)
{
	return run_for(call, NULL, call->arguments[0]);
}
