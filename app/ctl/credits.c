/* banterctl credits. */
#include "ctl/credits.h"

#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/rows.h"
#include "ops/credits.h"

#define DIGITS 16

static enum status add(const struct cli_call *call, struct ops *ops, struct db_rows **out)
{
	return ops_credits_add(ops, call->arguments[0], strtoll(call->arguments[1], NULL, 10), out);
}

static int run_add(const struct cli_call *call)
{
	const char *text = call->arguments[1], *digits = text + (*text == '-' || *text == '+');

	if (!*digits || strlen(digits) > DIGITS || digits[strspn(digits, "0123456789")])
		return cli_say(CLI_WRONG, "%s: N must be a whole number, such as 100 or -20",
			       call->command->name);
	return cli_run_rows(call, add, true);
}

static enum status list(const struct cli_call *call, struct ops *ops, struct db_rows **out)
{
	return ops_credits_list(ops, call->arguments[0], cli_number(call, "--limit", 20), out);
}

static int run_list(const struct cli_call *call)
{
	return cli_run_rows(call, list, false);
}

static enum status totals(const struct cli_call *call, struct ops *ops, struct db_rows **out)
{
	(void)call;
	return ops_credits_totals(ops, out);
}

static int run_totals(const struct cli_call *call)
{
	return cli_run_rows(call, totals, false);
}

static int run_show(const struct cli_call *call)
{
	return call->count ? cli_run_record(call) : cli_run_table(call);
}

static const struct cli_option list_options[] = {
	{ "--limit", "N", "how many (20)" },
	{ .name = NULL },
};

const struct cli_command ctl_credits_commands[] = {
	{ .name = "credits add",
	  .arguments = "WORKSPACE N",
	  .least = 2,
	  .most = 2,
	  .meaning = "Gives a workspace credits, or takes some away",
	  .more = "N may be negative; more than there is cannot be taken away. It is exact while\n"
		  "exchanges run.",
	  .example = "credits add Shop 500",
	  .flags = CLI_PRINTS,
	  .run = run_add },
	{ .name = "credits show",
	  .arguments = "[WORKSPACE]",
	  .most = 1,
	  .meaning = "Shows what workspaces have, what running exchanges hold, what was spent",
	  .more = "`reserved` is held by running exchanges, already taken off `credits`: what "
		  "ends\n"
		  "without an answer gives it back. Days and months are those of UTC.",
	  .example = "credits show Shop",
	  .flags = CLI_PRINTS,
	  .run = run_show,
	  .rows = ops_credits_show },
	{ .name = "credits list",
	  .arguments = "WORKSPACE",
	  .least = 1,
	  .most = 1,
	  .meaning = "Lists the last changes of a workspace's credits",
	  .more = "grant: by you; reserve: an exchange began; release: it ended without a charge.",
	  .example = "credits list Shop --limit 50",
	  .options = list_options,
	  .flags = CLI_PRINTS,
	  .run = run_list },
	{ .name = "credits totals",
	  .arguments = "",
	  .meaning = "Shows what deleted workspaces were granted and spent, by month",
	  .more = "All of them together, as far as workspace delete was told to keep it. Months "
		  "are\n"
		  "those of UTC.",
	  .example = "credits totals --csv",
	  .flags = CLI_PRINTS,
	  .run = run_totals },
	{ .name = NULL },
};
