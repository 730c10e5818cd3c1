/*
 * Erasing conversations with a person there: how many there are, whether that is meant, and how far it
 * is.
 */
#include "ctl/erasure.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/query.h"

#define PLURAL(n) (n), (n) == 1 ? "" : "s"

static int ask(const struct cli_call *call, const struct ops_erased *there)
{
	char running[64] = "";

	if (there->running)
		snprintf(running, sizeof(running), ", %" PRId64 " of them running", there->running);
	return cli_ask(call, "delete %" PRId64 " conversation%s with %" PRId64 " exchange%s%s?",
		       PLURAL(there->conversations), PLURAL(there->exchanges), running);
}

/* Stops at an interrupt. */
static int erase(const struct cli_call *call, struct ops *ops, const struct ops_erasure *which,
		 int64_t total, struct ops_erased *out)
{
	struct ops_erasing erasing = { .ended = false };
	int code = CLI_DONE;

	while (code == CLI_DONE && !erasing.ended && !interrupt_came()) {
		code = cli_ended(call, ops, ops_erasure_step(ops, which, &erasing));
		progress_show("deleting", erasing.erased.conversations, total);
	}
	progress_end();
	ops_erasure_end(&erasing);
	*out = erasing.erased;
	return code;
}

int erasure_run(const struct cli_call *call, const struct ops_erasure *which)
{
	struct ops_erased there, gone = { 0 };
	struct ops ops;
	int code;

	code = cli_open(call, &ops);
	if (code == CLI_DONE)
		code = cli_ended(call, &ops, ops_erasure_count(&ops, which, &there));
	if (code == CLI_DONE && !there.conversations) {
		puts("there are no such conversations");
		cli_close(&ops);
		return CLI_DONE;
	}
	if (code == CLI_DONE)
		code = ask(call, &there);
	if (code != CLI_DONE) {
		cli_close(&ops);
		return code;
	}
	interrupt_catch();
	code = erase(call, &ops, which, there.conversations, &gone);
	cli_close(&ops);
	if (code == CLI_DONE && !interrupt_came()) {
		printf("deleted %" PRId64 " conversation%s with %" PRId64 " exchange%s\n",
		       PLURAL(gone.conversations), PLURAL(gone.exchanges));
		return CLI_DONE;
	}
	return cli_say(CLI_FAILED, "stopped; %" PRId64 " %s deleted, run it again for the rest",
		       gone.conversations, gone.conversations == 1 ? "is" : "are");
}
