/* How long things are kept: prune, by hand, and sweep, for a timer. */
#include "ctl/retention.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/count.h"
#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/query.h"
#include "cli/rows.h"
#include "ctl/erasure.h"
#include "ops/retention.h"

static int run_prune(const struct cli_call *call)
{
	struct ops_erasure erasure = {
		.age = cli_value(call, "--older-than"),
		.chatbot = cli_value(call, "--chatbot"),
	};

	if (!erasure.age)
		return cli_say(CLI_WRONG,
			       "prune: --older-than is missing; see banterctl prune --help");
	return erasure_run(call, &erasure);
}

/* Stops at an interrupt. */
static int sweep(const struct cli_call *call, struct ops *ops, struct ops_swept *swept)
{
	struct ops_sweep sweeping = { .ended = false };
	int code = CLI_DONE;

	interrupt_catch();
	while (code == CLI_DONE && !sweeping.ended && !interrupt_came()) {
		code = cli_ended(call, ops, ops_retention_step(ops, &sweeping));
		if (sweeping.erasing)
			progress_show("deleting", sweeping.swept.conversations.conversations,
				      sweeping.to_erase);
	}
	progress_end();
	ops_retention_end(&sweeping);
	*swept = sweeping.swept;
	return code;
}

static int print_swept(const struct cli_call *call, const struct ops_swept *swept)
{
	const struct {
		const char *name;
		int64_t count;
	} columns[] = {
		{ "lost_exchanges", swept->leases },
		{ "idempotency_keys", swept->keys },
		{ "rate_windows", swept->windows },
		{ "conversations", swept->conversations.conversations },
		{ "exchanges", swept->conversations.exchanges },
		{ "visitors", swept->visitors },
	};
	struct table *table;
	char number[24];
	size_t i, count = COUNT(columns);

	if (table_new(&table))
		return cli_say(CLI_FAILED, "no memory");
	for (i = 0; i < count; i++)
		table_column(table, columns[i].name, TABLE_NUMBER);
	for (i = 0; i < count; i++) {
		snprintf(number, sizeof(number), "%" PRId64, columns[i].count);
		table_cell(table, str_from(number));
	}
	return cli_print_table(call, table, true);
}

static int run_sweep(const struct cli_call *call)
{
	struct ops_swept swept = { 0 };
	struct ops ops;
	int code;

	code = cli_open(call, &ops);
	if (code == CLI_DONE && cli_value(call, "--dry-run"))
		code = cli_ended(call, &ops, ops_retention_due(&ops, &swept));
	else if (code == CLI_DONE)
		code = sweep(call, &ops, &swept);
	cli_close(&ops);
	if (code == CLI_DONE)
		code = print_swept(call, &swept);
	if (code == CLI_DONE && interrupt_came())
		code = cli_say(CLI_FAILED, "stopped; run it again for the rest");
	return code;
}

static const struct cli_option prune_options[] = {
	{ "--older-than", "AGE", "without a question since: 18h, 90d, 12w, 2y" },
	{ "--chatbot", "CHATBOT", "only with this chatbot" },
	{ .name = NULL },
};

static const struct cli_option sweep_options[] = {
	{ "--dry-run", NULL, "say what there is to do, and do nothing" },
	{ .name = NULL },
};

const struct cli_command ctl_retention_commands[] = {
	{ .name = "prune",
	  .arguments = "",
	  .meaning = "Deletes conversations that have not gone on for long",
	  .more = "As conversation delete does: no text of them stays in any table. It may be\n"
		  "interrupted at any time; what it deleted by then is gone for good, the rest\n"
		  "untouched. A chatbot's retention_days have sweep do this every day.",
	  .example = "prune --older-than 90d --chatbot Support",
	  .options = prune_options,
	  .flags = CLI_ASKS,
	  .run = run_prune },
	{ .name = "sweep",
	  .arguments = "",
	  .meaning = "Does the daily cleaning, for a timer: asks nothing",
	  .more = "It gives back the credits that dead workers had reserved, forgets idempotency\n"
		  "keys after their 24 hours and rate windows that have ended, and deletes the\n"
		  "conversations that their chatbot's retention_days say are kept too long, then\n"
		  "the visitors who have no conversation any more: their token is nobody's from\n"
		  "then on. It may run beside the pool, and twice at once.",
	  .example = "sweep --dry-run",
	  .options = sweep_options,
	  .flags = CLI_PRINTS,
	  .run = run_sweep },
	{ .name = NULL },
};
