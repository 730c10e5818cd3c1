/*
 * banterctl conversation search: all texts are looked through, some exchanges at a time; what was
 * found is shown at the end, or when an interrupt comes.
 */
#include "ctl/conversation_search.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/query.h"
#include "cli/rows.h"
#include "ops/conversation.h"

#define TEXT_CAP 4096
#define WIDE 100 /* a terminal with room for the chatbot beside the excerpt */

struct search {
	const struct cli_call *call;
	struct ops ops;
	struct ops_conversation_search what;
	int64_t limit, found;
	struct table *table;
	int columns; /* those that are wanted here */
};

/* True: there may be more to find. */
static bool keep(struct search *search, const struct db_rows *rows)
{
	int found = ops_conversation_found(rows), row, i;

	for (row = 0; row < found; row++) {
		if (search->found == search->limit)
			return false;
		search->found++;
		for (i = 0; i < search->columns; i++)
			table_cell(search->table, db_rows_text(rows, row, i));
	}
	return ops_conversation_search_goes_on(rows) && search->found < search->limit;
}

static int look(struct search *search)
{
	struct db_rows *rows = NULL, *last = NULL;
	int64_t seen = 0;
	bool more = true;
	int code = CLI_DONE;

	while (code == CLI_DONE && more && !interrupt_came()) {
		rows = NULL;
		code = cli_ended(
			search->call, &search->ops,
			ops_conversation_search_next(&search->ops, &search->what, last, &rows));
		more = keep(search, rows);
		progress_show("exchanges", seen += OPS_SEARCH_STEP, 0);
		db_rows_free(last);
		last = rows;
	}
	progress_end();
	db_rows_free(last);
	return code;
}

/* Programs have all; a person wants the text more than the chatbot. */
static int columns_for(const struct cli_call *call)
{
	struct terminal terminal = terminal_of(stdout);

	if (call->form != TABLE_PEOPLE)
		return OPS_SEARCH_COLUMNS;
	return terminal.width && terminal.width < WIDE ? OPS_SEARCH_COLUMNS - 2
						       : OPS_SEARCH_COLUMNS - 1;
}

static int look_and_print(const struct cli_call *call, struct search *search)
{
	static const char *const columns[OPS_SEARCH_COLUMNS] = {
		"conversation_id", "started_at", "in", "excerpt", "chatbot", "chatbot_id"
	};
	int code, i;

	if (table_new(&search->table))
		return cli_say(CLI_FAILED, "no memory");
	search->columns = columns_for(call);
	for (i = 0; i < search->columns; i++)
		table_column(search->table, columns[i], TABLE_TEXT);
	code = look(search);
	if (code == CLI_DONE)
		code = cli_print_table(call, search->table, false);
	else
		table_free(search->table);
	if (code == CLI_DONE && interrupt_came())
		return cli_say(CLI_FAILED, "stopped; not all was looked through");
	return code;
}

static int read_text(const char *argument, struct buf *text)
{
	int code = CLI_DONE;

	if (strcmp(argument, "-") != 0)
		buf_puts(text, argument);
	else
		code = cli_read("-", text);
	while (text->len && strchr("\r\n", text->data[text->len - 1]))
		buf_truncate(text, text->len - 1);
	return code;
}

int conversation_search(const struct cli_call *call)
{
	struct search search = {
		.call = call,
		.what = { .chatbot = cli_value(call, "--chatbot") },
		.limit = cli_number(call, "--limit", 20),
	};
	struct buf text;
	int code;

	buf_init(&text, TEXT_CAP);
	code = read_text(call->arguments[0], &text);
	if (code == CLI_DONE && !text.len)
		code = cli_say(CLI_WRONG, "conversation search: there is nothing to search for");
	interrupt_catch();
	search.what.text = buf_view(&text);
	if (code == CLI_DONE)
		code = cli_open(call, &search.ops);
	if (code == CLI_DONE)
		code = look_and_print(call, &search);
	cli_close(&search.ops);
	buf_wipe(&text);
	return code;
}
