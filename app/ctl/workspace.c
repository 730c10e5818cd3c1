/* banterctl workspace. */
#include "ctl/workspace.h"

#include "cli/rows.h"
#include "ctl/removal.h"
#include "ctl/tenant.h"
#include "ops/workspace.h"

static enum status create(const struct cli_call *call, struct ops *ops, const char *settings,
			  struct db_rows **out)
{
	return ops_workspace_create(ops, call->arguments[0], settings, out);
}

static int run_create(const struct cli_call *call)
{
	return tenant_change(call, 1, create, true);
}

static enum status list(const struct cli_call *call, struct ops *ops, struct db_rows **out)
{
	(void)call;
	return ops_workspace_list(ops, out);
}

static int run_list(const struct cli_call *call)
{
	return cli_run_rows(call, list, false);
}

static enum status set(const struct cli_call *call, struct ops *ops, const char *settings,
		       struct db_rows **out)
{
	return ops_workspace_set(ops, call->arguments[0], settings, out);
}

static int run_set(const struct cli_call *call)
{
	return tenant_change(call, 1, set, false);
}

static int run_revoke(const struct cli_call *call)
{
	return tenant_revoke(call, ops_workspace_question, ops_workspace_revoke);
}

#define SETTINGS                                                                                   \
	"settings:\n"                                                                              \
	"  name=TEXT            it need not be the only one of its name: the number is\n"          \
	"  credits=N            what it may spend; unlimited: it is not counted\n"                 \
	"  max_open=N           exchanges open at once; none: the server's setting\n"              \
	"  max_open_per_key=N   the same, of one key\n"                                            \
	"  active=yes|no        no: all its requests get 401"

static const struct cli_option delete_options[] = {
	{ "--keep-totals", NULL,
	  "keep what it was granted and spent by month, for credits totals, without its name" },
	{ .name = NULL },
};

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
	  .run = run_create },
	{ .name = "workspace list",
	  .arguments = "",
	  .meaning = "Lists the workspaces",
	  .more = "Where there is nothing in credits, it is unlimited.",
	  .example = "workspace list",
	  .flags = CLI_PRINTS,
	  .details = 2,
	  .run = run_list },
	{ .name = "workspace show",
	  .arguments = "WORKSPACE",
	  .least = 1,
	  .most = 1,
	  .meaning = "Shows a workspace's settings and what it has",
	  .more = "WORKSPACE is its number, or its name where no other has the same.",
	  .example = "workspace show Shop",
	  .flags = CLI_PRINTS,
	  .run = cli_run_record,
	  .rows = ops_workspace_show },
	{ .name = "workspace set",
	  .arguments = "WORKSPACE SETTING=VALUE…",
	  .least = 2,
	  .most = -1,
	  .meaning = "Changes settings of a workspace, from its next request on",
	  .more = "All of them or, if one is wrong, none. A change of its credits is booked as a\n"
		  "grant of the difference; `credits add` is better while it is used.\n\n" SETTINGS,
	  .example = "workspace set Shop max_open=20 max_open_per_key=none",
	  .flags = CLI_PRINTS,
	  .run = run_set },
	{ .name = "workspace revoke",
	  .arguments = "WORKSPACE",
	  .least = 1,
	  .most = 1,
	  .meaning = "Shuts a workspace: all its requests get 401",
	  .more = "Nothing is deleted: `workspace set WORKSPACE active=yes` opens it again.",
	  .example = "workspace revoke Shop",
	  .flags = CLI_PRINTS | CLI_ASKS,
	  .run = run_revoke },
	{ .name = "workspace delete",
	  .arguments = "WORKSPACE",
	  .least = 1,
	  .most = 1,
	  .meaning = "Deletes a workspace for good, with all that it has",
	  .more = "Chatbots, keys, conversations, credits and their ledger. It is shut at once, as "
		  "by\n"
		  "`workspace revoke`; what still runs ends in an error. Then it goes step by "
		  "step,\n"
		  "beside the traffic of others: it may be interrupted, and goes on when it is "
		  "run\n"
		  "again. Backups and exports made before still have all.",
	  .example = "workspace delete Shop --keep-totals",
	  .options = delete_options,
	  .flags = CLI_ASKS,
	  .run = removal_run_workspace },
	{ .name = NULL },
};
