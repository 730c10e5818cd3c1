/*
 * banterctl key. A key is made here and shown once: the database only ever gets its hash, and what is
 * not kept now is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "chat/key.h"
#include "ctl/commands.h"
#include "ctl/tenant.h"

#define SHOW "select * from banter.key_show($1)"

struct made {
	char id[SECRET_ID_SIZE];
	char text[KEY_TEXT_SIZE];
	struct key key;
};

/* What it is to be of: the number of its workspace, and perhaps a chatbot (borrowed from `rows`). */
static int find_place(const struct cli_call *call, struct db *db, struct db_rows **rows)
{
	const char *label = cli_value(call, "--label");
	struct db_query query;
	int code;

	db_query_init(&query, call->command->name,
		      "select banter.settings_refusal('key',"
		      " json_build_object('label', coalesce($1::text, '')), null)");
	db_add_input(&query, label);
	code = tenant_judge(db, &query);
	if (code != CLI_DONE)
		return code;
	db_query_init(&query, call->command->name, "select * from banter.key_place($1, $2)");
	db_add_input(&query, cli_value(call, "--chatbot"));
	db_add_input(&query, cli_value(call, "--workspace"));
	return cli_query(db, &query, rows);
}

/* Into a file that was not there, wholly, before the key counts. */
static int keep(const char *path, const char *text)
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
	return cli_say(CLI_FAILED, "%s cannot be written: %s; no key was made", path,
		       strerror(why));
}

static int store(const struct cli_call *call, struct db *db, const struct made *made,
		 struct str chatbot)
{
	struct db_query query;

	db_query_init(&query, call->command->name, call->command->sql);
	db_add_integer(&query, made->key.workspace);
	db_add_input(&query, made->id);
	db_add_text(&query, key_kind_name(made->key.kind));
	db_add_text(&query, chatbot);
	db_add_text(&query, (struct str){ (const char *)made->key.hash, KEY_HASH_SIZE });
	db_add_input(&query, made->text + strlen(made->text) - 4);
	db_add_input(&query, cli_value(call, "--label"));
	return cli_query(db, &query, NULL);
}

static enum status print_record(const struct cli_call *call, const struct made *made, bool kept)
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

static int print(const struct cli_call *call, const struct made *made)
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

static int make(const struct cli_call *call, struct db *db, struct made *made)
{
	const char *path = cli_value(call, "--file");
	struct db_rows *rows = NULL;
	int code = find_place(call, db, &rows);

	if (code == CLI_DONE && key_new(cli_value(call, "--chatbot") ? KEY_WIDGET : KEY_WORKSPACE,
					db_rows_integer(rows, 0, 0, 0), made->text, &made->key))
		code = cli_say(CLI_FAILED, "no key could be made");
	if (code == CLI_DONE && path)
		code = keep(path, made->text);
	if (code == CLI_DONE) {
		code = store(call, db, made, db_rows_text(rows, 0, 1));
		if (code != CLI_DONE && path)
			unlink(path);
	}
	db_rows_free(rows);
	return code;
}

static int run_create(const struct cli_call *call)
{
	struct made made = { 0 };
	struct db *db = NULL;
	int code;

	if (!cli_value(call, "--chatbot") == !cli_value(call, "--workspace"))
		return cli_say(CLI_WRONG, "key create: say --chatbot CHATBOT for a widget key, or "
					  "--workspace WORKSPACE for a workspace key");
	secret_new_id(made.id);
	code = cli_connect(call, &db);
	if (code == CLI_DONE)
		code = make(call, db, &made);
	db_free(db);
	if (code == CLI_DONE)
		code = print(call, &made);
	explicit_bzero(&made, sizeof(made));
	return code;
}

static int run_set(const struct cli_call *call)
{
	return tenant_set(call, "key", SHOW);
}

static int run_revoke(const struct cli_call *call)
{
	return tenant_revoke(call, "select * from banter.key_question($1)", SHOW);
}

static const struct cli_option create_options[] = {
	{ "--chatbot", "CHATBOT", "a widget key, of this chatbot" },
	{ "--workspace", "WORKSPACE", "a workspace key, for all of its chatbots" },
	{ "--label", "TEXT", "what it is for, in your words" },
	{ "--file", "FILE", "into this new file (mode 0600), not on the screen; prints its id" },
	{ .name = NULL },
};

#define NAMED "KEY is its id, or its last four characters where no other ends in the same."

const struct cli_command ctl_key_commands[] = {
	{ .name = "key create",
	  .arguments = "",
	  .meaning = "Makes a key and prints it, this once",
	  .more = "The database keeps its hash alone: a key that is lost is revoked and replaced.",
	  .example = "key create --chatbot Support --label \"shop.example\"",
	  .options = create_options,
	  .flags = CLI_PRINTS,
	  .run = run_create,
	  .sql = "select banter.key_create($1, $2, $3, $4, $5, $6, $7)" },
	{ .name = "key list",
	  .arguments = "[WORKSPACE]",
	  .most = 1,
	  .meaning = "Lists the keys, or those of one workspace, revoked ones too",
	  .more = "`last used at` is exact to a minute.",
	  .example = "key list Shop",
	  .flags = CLI_PRINTS,
	  .run = cli_run_table,
	  .details = 4,
	  .sql = "select * from banter.key_list($1)" },
	{ .name = "key show",
	  .arguments = "KEY",
	  .least = 1,
	  .most = 1,
	  .meaning = "Shows what is known of a key; not the key",
	  .more = NAMED,
	  .example = "key show x7Qa",
	  .flags = CLI_PRINTS,
	  .run = cli_run_record,
	  .sql = SHOW },
	{ .name = "key set",
	  .arguments = "KEY SETTING=VALUE…",
	  .least = 2,
	  .most = -1,
	  .meaning = "Changes settings of a key, from its next request on",
	  .more = NAMED "\n\n"
			"settings:\n"
			"  label=TEXT           what it is for, in your words\n"
			"  active=yes|no        no: it gets 401",
	  .example = "key set x7Qa label=\"the old site\"",
	  .flags = CLI_PRINTS,
	  .run = run_set,
	  .sql = "select banter.key_set($1, $2)" },
	{ .name = "key revoke",
	  .arguments = "KEY",
	  .least = 1,
	  .most = 1,
	  .meaning = "Ends a key for good, from its next request on",
	  .more = NAMED "\nTo replace a key without a gap: make the new one, use it, then revoke "
			"the old one.",
	  .example = "key revoke x7Qa",
	  .flags = CLI_PRINTS | CLI_ASKS,
	  .run = run_revoke,
	  .sql = "select banter.key_revoke($1)" },
	{ .name = NULL },
};
