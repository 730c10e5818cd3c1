/*
 * Erasing conversations, for whatever reason: some at a time, each time in a transaction of its own,
 * so that nobody waits long for a lock and an interrupt loses nothing.
 */
#include <inttypes.h>
#include <stdio.h>

#include "ctl/conversation.h"

#define AT_A_TIME 100

static void add_choice(struct db_query *query, const struct erasure *erasure)
{
	db_add_input(query, erasure->conversations);
	db_add_input(query, erasure->chatbot);
	db_add_input(query, erasure->session);
	db_add_input(query, erasure->metadata);
	db_add_input(query, erasure->age);
	db_add_boolean(query, erasure->retention);
}

int erase_count(struct db *db, const struct erasure *erasure, struct erased *out)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	int code;

	db_query_init(&query, "counting",
		      "select * from banter.conversation_erase_count("
		      "$1, $2, $3, $4, $5, $6)");
	add_choice(&query, erasure);
	code = cli_query(db, &query, &rows);
	*out = (struct erased){
		.conversations = db_rows_integer(rows, 0, 0, 0),
		.exchanges = db_rows_integer(rows, 0, 1, 0),
		.running = db_rows_integer(rows, 0, 2, 0),
	};
	db_rows_free(rows);
	return code;
}

int erase_run(struct db *db, const struct erasure *erasure, int64_t total, struct erased *out)
{
	struct db_rows *rows = NULL, *last = NULL;
	struct db_query query;
	int code = CLI_DONE;
	bool more = true;

	*out = (struct erased){ 0 };
	while (code == CLI_DONE && more && !interrupt_came()) {
		db_query_init(&query, "deleting",
			      "select * from banter.conversation_erase("
			      "$1, $2, $3, $4, $5, $6, $7, $8, $9)");
		add_choice(&query, erasure);
		db_add_input(&query, db_rows_text(last, 0, 2).p);
		db_add_input(&query, db_rows_text(last, 0, 3).p);
		db_add_integer(&query, AT_A_TIME);
		code = cli_query(db, &query, &rows);
		out->conversations += db_rows_integer(rows, 0, 0, 0);
		out->exchanges += db_rows_integer(rows, 0, 1, 0);
		more = db_rows_text(rows, 0, 2).p;
		progress_show("deleting", out->conversations, total);
		db_rows_free(last);
		last = rows;
		rows = NULL;
	}
	progress_end();
	db_rows_free(last);
	return code;
}

#define PLURAL(n) (n), (n) == 1 ? "" : "s"

static int ask(const struct cli_call *call, const struct erased *there)
{
	char running[64] = "";

	if (there->running)
		snprintf(running, sizeof(running), ", %" PRId64 " of them running", there->running);
	return cli_ask(call, "delete %" PRId64 " conversation%s with %" PRId64 " exchange%s%s?",
		       PLURAL(there->conversations), PLURAL(there->exchanges), running);
}

int erase_asking(const struct cli_call *call, const struct erasure *erasure)
{
	struct erased there, gone = { 0 };
	struct db *db = NULL;
	int code;

	code = cli_connect(call, &db);
	if (code == CLI_DONE)
		code = erase_count(db, erasure, &there);
	if (code == CLI_DONE && !there.conversations) {
		puts("there are no such conversations");
		db_free(db);
		return CLI_DONE;
	}
	if (code == CLI_DONE)
		code = ask(call, &there);
	if (code != CLI_DONE) {
		db_free(db);
		return code;
	}
	interrupt_catch();
	code = erase_run(db, erasure, there.conversations, &gone);
	db_free(db);
	if (code == CLI_DONE && !interrupt_came()) {
		printf("deleted %" PRId64 " conversation%s with %" PRId64 " exchange%s\n",
		       PLURAL(gone.conversations), PLURAL(gone.exchanges));
		return CLI_DONE;
	}
	return cli_say(CLI_FAILED, "stopped; %" PRId64 " %s deleted, run it again for the rest",
		       gone.conversations, gone.conversations == 1 ? "is" : "are");
}
