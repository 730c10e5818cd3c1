/* banterctl's commands for conversations: the table of them, and what is told in a few lines. */
#include "ctl/conversation.h"

#include <string.h>

#include "cli/call.h"
#include "cli/rows.h"
#include "ctl/conversation_export.h"
#include "ctl/conversation_import.h"
#include "ctl/conversation_search.h"
#include "ctl/erasure.h"
#include "ops/conversation.h"

#define IDS_CAP (1 << 20)

static enum status list(const struct cli_call *call, struct ops *ops, struct db_rows **out)
{
	const struct ops_conversation_choice choice = {
		.chatbot = call->arguments[0],
		.session = cli_value(call, "--session"),
		.visitor = cli_value(call, "--visitor"),
		.user = cli_value(call, "--user"),
		.since = cli_value(call, "--since"),
		.limit = cli_number(call, "--limit", 50),
	};

	return ops_conversation_list(ops, &choice, out);
}

static int run_list(const struct cli_call *call)
{
	return cli_run_rows(call, list, false);
}

/* Exactly one of the ways to say which. */
static bool says_which(const struct cli_call *call)
{
	bool visitor = cli_value(call, "--visitor");
	int of_chatbot = !!cli_value(call, "--session") + !!cli_value(call, "--metadata") +
			 !!cli_value(call, "--user");

	if (call->count || visitor)
		return !(call->count && visitor) && !of_chatbot && !cli_value(call, "--chatbot");
	return cli_value(call, "--chatbot") && of_chatbot == 1;
}

static int run_delete(const struct cli_call *call)
{
	struct ops_erasure erasure = {
		.chatbot = cli_value(call, "--chatbot"),
		.session = cli_value(call, "--session"),
		.metadata = cli_value(call, "--metadata"),
		.visitor = cli_value(call, "--visitor"),
		.user = cli_value(call, "--user"),
	};
	struct buf ids;
	int i, code;

	if (!says_which(call))
		return cli_say(CLI_WRONG,
			       "conversation delete: say which: CONVERSATION…, --visitor, or "
			       "--chatbot with --session, --user or --metadata");
	if (erasure.metadata && !strchr(erasure.metadata, '='))
		return cli_say(CLI_WRONG, "conversation delete: --metadata needs NAME=VALUE");
	buf_init(&ids, IDS_CAP);
	for (i = 0; i < call->count; i++)
		buf_printf(&ids, "%s%s", i ? "\n" : "", call->arguments[i]);
	if (call->count)
		erasure.conversations = buf_text(&ids);
	code = buf_check(&ids) ? cli_say(CLI_FAILED, "these are too many at once")
			       : erasure_run(call, &erasure);
	buf_clear(&ids);
	return code;
}

static const struct cli_option list_options[] = {
	{ "--session", "SESSION", "only of this session" },
	{ "--user", "USER", "only of who is signed in by this name at their site" },
	{ "--visitor", "VISITOR", "only of this visitor" },
	{ "--since", "AGE", "only those that went on since: 18h, 7d, 12w" },
	{ "--limit", "N", "how many at most (50)" },
	{ .name = NULL },
};

static const struct cli_option show_options[] = {
	{ "--json", NULL, "print it as conversation export does" },
	{ .name = NULL },
};

static const struct cli_option search_options[] = {
	{ "--chatbot", "CHATBOT", "only with this chatbot" },
	{ "--limit", "N", "how many at most (20)" },
	{ .name = NULL },
};

static const struct cli_option export_options[] = {
	{ "--chatbot", "CHATBOT", "all with this chatbot" },
	{ "--workspace", "WORKSPACE", "all of this workspace" },
	{ "--format", "jsonl|markdown",
	  "for programs and for import (if not said), or for people" },
	{ "--output", "FILE", "write to FILE, which must not be there, for your eyes only" },
	{ .name = NULL },
};

static const struct cli_option import_options[] = {
	{ "--chatbot", "CHATBOT", "put them all into this chatbot" },
	{ .name = NULL },
};

static const struct cli_option delete_options[] = {
	{ "--chatbot", "CHATBOT", "of this chatbot, with one of:" },
	{ "--session", "SESSION", "the session's conversation" },
	{ "--user", "USER", "all of who is signed in by this name" },
	{ "--metadata", "NAME=VALUE", "all with this string or number in a message's metadata" },
	{ "--visitor", "VISITOR", "all of this visitor, instead" },
	{ .name = NULL },
};

const struct cli_command ctl_conversation_commands[] = {
	{ .name = "conversation list",
	  .arguments = "[CHATBOT]",
	  .most = 1,
	  .meaning = "Lists conversations, the latest first, without their texts",
	  .example = "conversation list Support --since 7d",
	  .options = list_options,
	  .flags = CLI_PRINTS,
	  .details = 3,
	  .run = run_list },
	{ .name = "conversation show",
	  .arguments = "CONVERSATION",
	  .least = 1,
	  .most = 1,
	  .meaning = "Shows a conversation with its questions and answers",
	  .example = "conversation show 01m7y2k3e92365hdc9rnkwb6t8",
	  .options = show_options,
	  .run = conversation_show },
	{ .name = "conversation search",
	  .arguments = "TEXT",
	  .least = 1,
	  .most = 1,
	  .meaning = "Finds a text in questions and answers, whatever its case",
	  .more = "TEXT is taken as it is, no character in it is special; - reads it from "
		  "standard\n"
		  "input, out of sight of the process list. All texts are looked through, the\n"
		  "latest of each workspace first; Ctrl-C shows what was found so far.",
	  .example = "conversation search 'refund' --chatbot Support",
	  .options = search_options,
	  .flags = CLI_PRINTS,
	  .run = conversation_search },
	{ .name = "conversation export",
	  .arguments = "[CONVERSATION]",
	  .most = 1,
	  .meaning = "Writes conversations as JSON Lines or Markdown",
	  .more = "One conversation, those of a chatbot or a workspace, or all, as they are at "
		  "one\n"
		  "moment; what still runs is left out. A line of JSON Lines is a conversation "
		  "with\n"
		  "all that `conversation import` needs to bring it back.",
	  .example = "conversation export --chatbot Support --output shop.jsonl",
	  .options = export_options,
	  .run = conversation_export },
	{ .name = "conversation import",
	  .arguments = "FILE",
	  .least = 1,
	  .most = 1,
	  .meaning = "Reads back what export wrote, under the same ids",
	  .more = "FILE - is standard input. The chatbot must be there under its id, or --chatbot\n"
		  "says which to take; chatbot create makes one. A conversation that is there\n"
		  "already is left as it is, so the same file may be read again. A line that is "
		  "no\n"
		  "conversation is named, and nothing of it is stored; the others are.",
	  .example = "conversation import shop.jsonl --chatbot Support",
	  .options = import_options,
	  .run = conversation_import },
	{ .name = "conversation delete",
	  .arguments = "[CONVERSATION…]",
	  .most = -1,
	  .meaning = "Deletes conversations: no text of them stays in any table",
	  .more = "Questions, answers, metadata and idempotency keys go, the statistics of them\n"
		  "too; the ledger of credits stays, which holds numbers only. What runs in them\n"
		  "ends in an error, uncharged. Backups and exports made before still have them.\n"
		  "With --user and --visitor nothing stays of that visitor either; conversation "
		  "show\n"
		  "says whose a conversation is. Where the pages of several site keys call their\n"
		  "users alike, --user means all of these.",
	  .example = "conversation delete --chatbot Support --session user-123",
	  .options = delete_options,
	  .flags = CLI_ASKS,
	  .run = run_delete },
	{ .name = NULL },
};
