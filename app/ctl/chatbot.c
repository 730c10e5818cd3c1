/* banterctl chatbot. */
#include "ctl/chatbot.h"

#include <string.h>

#include "cli/call.h"
#include "cli/rows.h"
#include "ctl/removal.h"
#include "ctl/tenant.h"
#include "ops/chatbot.h"

#define PROMPT "system_prompt="

/* Others of this machine read the process list, and a shell keeps what was typed. */
static int refuse_prompt(const struct cli_call *call)
{
	const char *value;
	int i;

	for (i = 1; i < call->count; i++) {
		value = call->arguments[i] + strlen(PROMPT);
		if (strncmp(call->arguments[i], PROMPT, strlen(PROMPT)) == 0 && *value != '@' &&
		    strcmp(value, "none") != 0)
			return cli_say(CLI_WRONG, "a prompt does not belong in a command line; say "
						  "system_prompt=@FILE, or @- for standard input");
	}
	return CLI_DONE;
}

static enum status create(const struct cli_call *call, struct ops *ops, const char *settings,
			  struct db_rows **out)
{
	return ops_chatbot_create(ops, call->arguments[0], call->arguments[1], settings, out);
}

static int run_create(const struct cli_call *call)
{
	int code = refuse_prompt(call);

	return code == CLI_DONE ? tenant_change(call, 2, create, true) : code;
}

static enum status set(const struct cli_call *call, struct ops *ops, const char *settings,
		       struct db_rows **out)
{
	return ops_chatbot_set(ops, call->arguments[0], settings, out);
}

static int run_set(const struct cli_call *call)
{
	int code = refuse_prompt(call);

	return code == CLI_DONE ? tenant_change(call, 1, set, false) : code;
}

static int run_revoke(const struct cli_call *call)
{
	return tenant_revoke(call, ops_chatbot_question, ops_chatbot_revoke);
}

#define NAMED "CHATBOT is its id, its name where no other has the same, or WORKSPACE/NAME."

#define SETTINGS                                                                                   \
	"settings:\n"                                                                              \
	"  name=TEXT            it need not be the only one of its name: the id is\n"              \
	"  system_prompt=@FILE  what the model is told first; @-: from standard input\n"           \
	"  client_system=yes|no a system message of OpenAI's clients follows (no)\n"               \
	"  model=NAME           none: the server's\n"                                              \
	"  servers=NAME,…       model servers, asked in this order; none: the default one\n"     \
	"  reasoning=WORD       in the model's text: remove (if none), keep, or begins:\n"         \
	"                       remove it, and each answer begins in it\n"                         \
	"  temperature=X        0 to 2; none: the model's own\n"                                   \
	"  max_tokens=N         longest answer; none: the model's own\n"                           \
	"  history_messages=N   shown to the model at most; none: the server's most\n"             \
	"  history_chars=N      the same, in characters\n"                                         \
	"  stream=yes|no        where a request does not say (no)\n"                               \
	"  price=N              credits for an exchange (1)\n"                                     \
	"  rate_limit=N         requests of the chatbot API in a window; none: any number\n"       \
	"  rate_window=N        a window's length in seconds (60)\n"                               \
	"  visitor_exchanges=N  that visitors may begin in a day; none: the\n"                     \
	"                       server's\n"                                                        \
	"  visitor_credits=N    the same in credits; none: the server's\n"                         \
	"  on_leave=WORD        when a client leaves before the end: stop (if none), or\n"         \
	"                       finish, for who comes back\n"                                      \
	"  detached_time=N      for so many seconds at most with nobody there (60)\n"              \
	"  on_repeat=WORD       who asks again with the idempotency key of what runs:\n"           \
	"                       refuse (if none), or attach: they hear it\n"                       \
	"  retention_days=N     how long conversations are kept; none: for ever\n"                 \
	"  active=yes|no        no: it cannot be found\n"                                          \
	"`none` puts any of them but name and active back to what it is without."

const struct cli_command ctl_chatbot_commands[] = {
	{ .name = "chatbot create",
	  .arguments = "WORKSPACE NAME [SETTING=VALUE…]",
	  .least = 2,
	  .most = -1,
	  .meaning = "Makes a chatbot and prints its id",
	  .more = SETTINGS,
	  .example = "chatbot create Shop Support price=2 system_prompt=@prompt.txt",
	  .flags = CLI_PRINTS,
	  .run = run_create },
	{ .name = "chatbot list",
	  .arguments = "[WORKSPACE]",
	  .most = 1,
	  .meaning = "Lists the chatbots, or those of one workspace",
	  .example = "chatbot list Shop",
	  .flags = CLI_PRINTS,
	  .details = 7,
	  .run = cli_run_table,
	  .rows = ops_chatbot_list },
	{ .name = "chatbot show",
	  .arguments = "CHATBOT",
	  .least = 1,
	  .most = 1,
	  .meaning = "Shows a chatbot's settings and what it has",
	  .more = NAMED,
	  .example = "chatbot show Shop/Support",
	  .flags = CLI_PRINTS,
	  .run = cli_run_record,
	  .rows = ops_chatbot_show },
	{ .name = "chatbot set",
	  .arguments = "CHATBOT SETTING=VALUE…",
	  .least = 2,
	  .most = -1,
	  .meaning = "Changes settings of a chatbot, from its next exchange on",
	  .more = "All of them or, if one is wrong, none. " NAMED "\n\n" SETTINGS,
	  .example = "chatbot set Support temperature=0.3 rate_limit=100 rate_window=3600",
	  .flags = CLI_PRINTS,
	  .run = run_set },
	{ .name = "chatbot revoke",
	  .arguments = "CHATBOT",
	  .least = 1,
	  .most = 1,
	  .meaning = "Shuts a chatbot: its requests get 404, those with a widget key 401",
	  .more = "Nothing is deleted: `chatbot set CHATBOT active=yes` opens it again. " NAMED,
	  .example = "chatbot revoke Shop/Support",
	  .flags = CLI_PRINTS | CLI_ASKS,
	  .run = run_revoke },
	{ .name = "chatbot delete",
	  .arguments = "CHATBOT",
	  .least = 1,
	  .most = 1,
	  .meaning = "Deletes a chatbot for good, with its keys and conversations",
	  .more = "It is shut at once, as by `chatbot revoke`; what still runs ends in an error,\n"
		  "uncharged. Then it goes step by step, beside the traffic of others: it may be\n"
		  "interrupted, and goes on when it is run again. The ledger of its workspace "
		  "stays,\n"
		  "which holds numbers only. Backups and exports made before still have "
		  "all. " NAMED,
	  .example = "chatbot delete Shop/Support",
	  .flags = CLI_ASKS,
	  .run = removal_run_chatbot },
	{ .name = NULL },
};
