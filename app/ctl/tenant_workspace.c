/* banterctl workspace and credits. */
#include <string.h>

#include "base/secret.h"
#include "ctl/commands.h"
#include "ctl/tenant.h"

#define SHOW "select * from banter.workspace_show($1)"
#define SHOW_CREDITS "select * from banter.credits_show($1)"

static int run_create(const struct cli_call *call)
{
	struct db *db = NULL;
	struct db_query query;
	struct buf settings;
	int64_t number;
	int code;

	/* Without a sign: a number that begins with "-" looks like an option. */
	secret_random(&number, sizeof(number));
	number &= INT64_MAX;
	buf_init(&settings, 0);
	code = cli_connect(call, &db);
	if (code == CLI_DONE)
		code = tenant_settings(call, db, "workspace", 1, call->arguments[0], &settings);
	if (code == CLI_DONE) {
		db_query_init(&query, call->command->name, call->command->sql);
		db_add_integer(&query, number);
		db_add_input(&query, call->arguments[0]);
		db_add_input(&query, buf_text(&settings));
		code = tenant_change(call, db, &query, SHOW, true);
	}
	buf_clear(&settings);
	db_free(db);
	return code;
}

static int run_set(const struct cli_call *call)
{
	return tenant_set(call, "workspace", SHOW);
}

static int run_revoke(const struct cli_call *call)
{
	return tenant_revoke(call, "select * from banter.workspace_question($1)", SHOW);
}

#define SETTINGS                                                                                   \
	"settings:\n"                                                                              \
	"  name=TEXT            it need not be the only one of its name: the number is\n"          \
	"  credits=N            what it may spend; unlimited: it is not counted\n"                 \
	"  max_open=N           exchanges open at once; none: the server's setting\n"              \
	"  max_open_per_key=N   the same, of one key\n"                                            \
	"  active=yes|no        no: all its requests get 401"

const struct cli_command ctl_workspace_commands[] = {
	{ .name = "workspace create",
	  .arguments = "NAME [SETTING=VALUE…]",
	  .least = 1,
	  .most = -1,
	  .meaning = "Makes a workspace and prints its number",
	  .more = "A workspace is a customer: it has chatbots, keys and credits (unlimited, if\n"
		  "nothing is said).\n\n" SETTINGS,
	  .example = "workspace create Shop credits=1000",
	  .flags = CLI_PRINTS,
	  .run = run_create,
	  .sql = "select banter.workspace_new($1, $2, $3)" },
	{ .name = "workspace list",
	  .arguments = "",
	  .meaning = "Lists the workspaces",
	  .more = "Where there is nothing in credits, it is unlimited.",
	  .example = "workspace list",
	  .flags = CLI_PRINTS,
	  .run = cli_run_table,
	  .details = 2,
	  .sql = "select * from banter.workspace_list()" },
	{ .name = "workspace show",
	  .arguments = "WORKSPACE",
	  .least = 1,
	  .most = 1,
	  .meaning = "Shows a workspace's settings and what it has",
	  .more = "WORKSPACE is its number, or its name where no other has the same.",
	  .example = "workspace show Shop",
	  .flags = CLI_PRINTS,
	  .run = cli_run_record,
	  .sql = SHOW },
	{ .name = "workspace set",
	  .arguments = "WORKSPACE SETTING=VALUE…",
	  .least = 2,
	  .most = -1,
	  .meaning = "Changes settings of a workspace, from its next request on",
	  .more = "All of them or, if one is wrong, none. A change of its credits is booked as a\n"
		  "grant of the difference; `credits add` is better while it is used.\n\n" SETTINGS,
	  .example = "workspace set Shop max_open=20 max_open_per_key=none",
	  .flags = CLI_PRINTS,
	  .run = run_set,
	  .sql = "select banter.workspace_set($1, $2)" },
	{ .name = "workspace revoke",
	  .arguments = "WORKSPACE",
	  .least = 1,
	  .most = 1,
	  .meaning = "Shuts a workspace: all its requests get 401",
	  .more = "Nothing is deleted: `workspace set WORKSPACE active=yes` opens it again.",
	  .example = "workspace revoke Shop",
	  .flags = CLI_PRINTS | CLI_ASKS,
	  .run = run_revoke,
	  .sql = "select banter.workspace_set($1, '{\"active\":\"no\"}')" },
	{ .name = NULL },
};

static int run_add_credits(const struct cli_call *call)
{
	const char *text = call->arguments[1], *digits = text + (*text == '-' || *text == '+');
	struct db *db = NULL;
	struct db_query query;
	int code;

	if (!*digits || strlen(digits) > 16 || digits[strspn(digits, "0123456789")])
		return cli_say(CLI_WRONG, "%s: N must be a whole number, such as 100 or -20",
			       call->command->name);
	code = cli_connect(call, &db);
	if (code == CLI_DONE) {
		db_query_init(&query, call->command->name, call->command->sql);
		db_add_input(&query, call->arguments[0]);
		db_add_input(&query, text);
		code = tenant_change(call, db, &query, SHOW_CREDITS, false);
	}
	db_free(db);
	return code;
}

static int run_show_credits(const struct cli_call *call)
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
	  .run = run_add_credits,
	  .sql = "select banter.credit_add($1, $2)" },
	{ .name = "credits show",
	  .arguments = "[WORKSPACE]",
	  .most = 1,
	  .meaning = "Shows what workspaces have, what running exchanges hold, what was spent",
	  .more = "`reserved` is held by running exchanges, already taken off `credits`: what "
		  "ends\n"
		  "without an answer gives it back. Days and months are those of UTC.",
	  .example = "credits show Shop",
	  .flags = CLI_PRINTS,
	  .run = run_show_credits,
	  .sql = SHOW_CREDITS },
	{ .name = "credits list",
	  .arguments = "WORKSPACE",
	  .least = 1,
	  .most = 1,
	  .meaning = "Lists the last changes of a workspace's credits",
	  .more = "grant: by you; reserve: an exchange began; release: it ended without a charge.",
	  .example = "credits list Shop --limit 50",
	  .options = list_options,
	  .flags = CLI_PRINTS,
	  .run = cli_run_table,
	  .sql = "select * from banter.credits_list($1, coalesce($2::bigint, 20))" },
	{ .name = NULL },
};
