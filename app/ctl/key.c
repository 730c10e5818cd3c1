/*
 * banterctl key. A key is shown once, or kept in a file: what is not kept now is lost.
 */
#include "ctl/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/query.h"
#include "cli/rows.h"
#include "ctl/tenant.h"
#include "ops/key.h"

/* Into a file that was not there, wholly, before the key counts. */
static int keep(const char *path, const char *text, const char *what)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool kept = fd >= 0 && dprintf(fd, "%s\n", text) > 0 && fsync(fd) == 0;
	int why = errno;

	if (fd >= 0)
		kept = close(fd) == 0 && kept;
	if (kept)
		return CLI_DONE;
	if (fd >= 0)
		unlink(path);
	return cli_say(CLI_FAILED, "%s cannot be written: %s; no %s was made", path, strerror(why),
		       what);
}

static enum status print_record(const struct cli_call *call, const struct ops_key *made, bool kept)
{
	struct terminal terminal = terminal_of(stdout);
	struct table *table;
	enum status status = table_new(&table);

	if (status)
		return status;
	table_column(table, "key_id", TABLE_TEXT);
	table_column(table, "kind", TABLE_TEXT);
	table_column(table, "key", TABLE_TEXT);
	table_cell(table, str_from(made->id));
	table_cell(table, key_kind_name(made->key.kind));
	table_cell(table, kept ? STR_NONE : str_from(made->text));
	status = table_print(table, call->form, true, &terminal, stdout);
	table_free(table);
	return status;
}

static int print(const struct cli_call *call, const struct ops_key *made)
{
	const char *path = cli_value(call, "--file");
	enum status status = STATUS_OK;

	if (call->form != TABLE_PEOPLE)
		status = print_record(call, made, path);
	else if (puts(path ? made->id : made->text) < 0 || fflush(stdout))
		status = STATUS_FAILED;
	if (status && !path)
		return cli_say(CLI_FAILED,
			       "the key was made but could not be printed; revoke it: banterctl "
			       "key revoke %s",
			       made->id);
	if (status)
		return cli_say(CLI_FAILED, "the key is in %s, its id %s could not be printed", path,
			       made->id);
	if (call->form == TABLE_PEOPLE && !path)
		cli_say(CLI_DONE, "keep it now, it cannot be shown again; its id is %s", made->id);
	return CLI_DONE;
}

static int make(const struct cli_call *call, struct ops *ops, struct ops_key *made)
{
	const struct ops_key_request request = {
		.chatbot = cli_value(call, "--chatbot"),
		.workspace = cli_value(call, "--workspace"),
		.label = cli_value(call, "--label"),
		.origins = cli_value(call, "--origins"),
	};
	const char *path = cli_value(call, "--file");
	int code = cli_ended(call, ops, ops_key_prepare(ops, &request, made));

	if (code == CLI_DONE && path)
		code = keep(path, made->text, "key");
	if (code == CLI_DONE) {
		code = cli_ended(call, ops, ops_key_store(ops, made));
		if (code != CLI_DONE && path)
			unlink(path);
	}
	return code;
}

static int run_create(const struct cli_call *call)
{
	struct ops_key made = { .place = NULL };
	struct ops ops;
	int code;

	if (!cli_value(call, "--chatbot") == !cli_value(call, "--workspace"))
		return cli_say(CLI_WRONG, "key create: say --chatbot CHATBOT for a widget key, or "
					  "--workspace WORKSPACE for a workspace key");
	if (cli_value(call, "--origins") && !cli_value(call, "--chatbot"))
		return cli_say(CLI_WRONG, "key create: --origins is for a site key, of --chatbot "
					  "CHATBOT");
	code = cli_open(call, &ops);
	if (code == CLI_DONE)
		code = make(call, &ops, &made);
	cli_close(&ops);
	if (code == CLI_DONE)
		code = print(call, &made);
	ops_key_clear(&made);
	return code;
}

static int tell_secret(const struct cli_call *call, const struct ops_key_secret *made,
		       const char *path)
{
	struct terminal terminal = terminal_of(stdout);
	enum status status = STATUS_OK;
	struct table *table;

	if (call->form == TABLE_PEOPLE)
		return (path || puts(made->text) >= 0) && fflush(stdout) == 0 ? CLI_DONE
									      : CLI_FAILED;
	if (table_new(&table))
		return CLI_FAILED;
	table_column(table, "secret", TABLE_TEXT);
	table_cell(table, path ? STR_NONE : str_from(made->text));
	status = table_print(table, call->form, true, &terminal, stdout);
	table_free(table);
	return status ? CLI_FAILED : CLI_DONE;
}

static int run_identity(const struct cli_call *call)
{
	const char *key = call->arguments[0], *path = cli_value(call, "--file");
	struct ops_key_secret made;
	struct ops ops;
	int code = cli_open(call, &ops);

	ops_key_secret_new(&made);
	if (code == CLI_DONE && path)
		code = keep(path, made.text, "secret");
	if (code == CLI_DONE) {
		code = cli_ended(call, &ops, ops_key_identity(&ops, key, &made));
		if (code != CLI_DONE && path)
			unlink(path);
	}
	cli_close(&ops);
	if (code == CLI_DONE && tell_secret(call, &made, path) != CLI_DONE)
		code = cli_say(CLI_FAILED, "the secret could not be printed; make another");
	ops_key_secret_clear(&made);
	return code;
}

static enum status set(const struct cli_call *call, struct ops *ops, const char *settings,
		       struct db_rows **out)
{
	return ops_key_set(ops, call->arguments[0], settings, out);
}

static int run_set(const struct cli_call *call)
{
	return tenant_change(call, 1, set, false);
}

static int run_revoke(const struct cli_call *call)
{
	return tenant_revoke(call, ops_key_question, ops_key_revoke);
}

static const struct cli_option create_options[] = {
	{ "--chatbot", "CHATBOT", "a widget key, of this chatbot" },
	{ "--workspace", "WORKSPACE", "a workspace key, for all of its chatbots" },
	{ "--origins", "ORIGINS",
	  "with --chatbot: a site key, for pages of these origins, commas between" },
	{ "--label", "TEXT", "what it is for, in your words" },
	{ "--file", "FILE", "into this new file (mode 0600), not on the screen; prints its id" },
	{ .name = NULL },
};

static const struct cli_option identity_options[] = {
	{ "--file", "FILE", "into this new file (mode 0600), not on the screen" },
	{ .name = NULL },
};

#define NAMED "KEY is its id, or its last four characters where no other ends in the same."

const struct cli_command ctl_key_commands[] = {
	{ .name = "key create",
	  .arguments = "",
	  .meaning = "Makes a key and prints it, this once",
	  .more = "The database keeps its hash alone: a key that is lost is revoked and replaced.\n"
		  "Widget and workspace keys are secrets, for back ends. A site key is none: it "
		  "stands in "
		  "pages,\nand does what their visitors may. An origin is what browsers send, to "
		  "the "
		  "letter: https://shop.example",
	  .example = "key create --chatbot Support --origins https://shop.example",
	  .options = create_options,
	  .flags = CLI_PRINTS,
	  .run = run_create },
	{ .name = "key list",
	  .arguments = "[WORKSPACE]",
	  .most = 1,
	  .meaning = "Lists the keys, or those of one workspace, revoked ones too",
	  .more = "`last used at` is exact to a minute.",
	  .example = "key list Shop",
	  .flags = CLI_PRINTS,
	  .details = 6,
	  .run = cli_run_table,
	  .rows = ops_key_list },
	{ .name = "key show",
	  .arguments = "KEY",
	  .least = 1,
	  .most = 1,
	  .meaning = "Shows what is known of a key; not the key",
	  .more = NAMED,
	  .example = "key show x7Qa",
	  .flags = CLI_PRINTS,
	  .run = cli_run_record,
	  .rows = ops_key_show },
	{ .name = "key set",
	  .arguments = "KEY SETTING=VALUE…",
	  .least = 2,
	  .most = -1,
	  .meaning = "Changes settings of a key, from its next request on",
	  .more = NAMED "\n\n"
			"settings:\n"
			"  label=TEXT           what it is for, in your words\n"
			"  active=yes|no        no: it gets 401\n"
			"  origins=ORIGIN,…     a site key's: these instead of those it had",
	  .example = "key set x7Qa label=\"the old site\"",
	  .flags = CLI_PRINTS,
	  .run = run_set },
	{ .name = "key identity",
	  .arguments = "KEY",
	  .least = 1,
	  .most = 1,
	  .meaning = "Makes a site key's identity secret, and prints it, this once",
	  .more = "With it the site's back end says who is signed in there: see the contract's P3. "
		  "It takes the\nplace of the one that the key had. " NAMED,
	  .example = "key identity x7Qa --file identity.secret",
	  .options = identity_options,
	  .flags = CLI_PRINTS,
	  .run = run_identity },
	{ .name = "key revoke",
	  .arguments = "KEY",
	  .least = 1,
	  .most = 1,
	  .meaning = "Ends a key for good, from its next request on",
	  .more = NAMED "\nTo replace a key without a gap: make the new one, use it, then revoke "
			"the old one.",
	  .example = "key revoke x7Qa",
	  .flags = CLI_PRINTS | CLI_ASKS,
	  .run = run_revoke },
	{ .name = NULL },
};
