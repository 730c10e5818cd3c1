/*
 * banterctl conversation search: all texts are looked through, some exchanges at a time; what was
 * found is shown at the end, or when an interrupt comes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "ctl/conversation.h"

#define AT_A_TIME 2000
#define TEXT_CAP 4096
#define WIDE 100 /* a terminal with room for the chatbot beside the excerpt */
#define SHOWN 6	 /* columns of banter.conversation_search(); behind them, where to go on */

struct search {
	struct db *db;
	struct str text;
	const char *chatbot;
	int64_t limit, found;
	struct table *table;
	int columns; /* of SHOWN, those that are wanted here */
};

static int ask(const struct search *search, const struct db_rows *last, struct db_rows **out)
{
	int row = db_rows_count(last) - 1;
	struct db_query query;

	db_query_init(&query, "search",
		      "select * from banter.conversation_search($1, $2, $3, $4, $5)");
	db_add_text(&query, search->text);
	db_add_input(&query, search->chatbot);
	db_add_input(&query, last ? db_rows_text(last, row, SHOWN).p : NULL);
	db_add_input(&query, last ? db_rows_text(last, row, SHOWN + 1).p : NULL);
	db_add_integer(&query, AT_A_TIME);
	return cli_query(search->db, &query, out);
}

/* True: the last row says where to go on, and there may be more to find. */
static bool keep(struct search *search, const struct db_rows *rows)
{
	int count = db_rows_count(rows), row, i;

	for (row = 0; row < count && db_rows_text(rows, row, 0).p; row++) {
		if (search->found == search->limit)
			return false;
		search->found++;
		for (i = 0; i < search->columns; i++)
			table_cell(search->table, db_rows_text(rows, row, i));
	}
	return row < count && search->found < search->limit;
}

static int look(struct search *search)
{
	struct db_rows *rows = NULL, *last = NULL;
	int64_t seen = 0;
	bool more = true;
	int code = CLI_DONE;

	while (code == CLI_DONE && more && !interrupt_came()) {
		rows = NULL;
		code = ask(search, last, &rows);
		more = keep(search, rows);
		progress_show("exchanges", seen += AT_A_TIME, 0);
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
		return SHOWN;
	return terminal.width && terminal.width < WIDE ? SHOWN - 2 : SHOWN - 1;
}

static int look_and_print(const struct cli_call *call, struct search *search)
{
	static const char *const columns[SHOWN] = { "conversation_id", "started_at", "in",
						    "excerpt",	       "chatbot",    "chatbot_id" };
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
		.chatbot = cli_value(call, "--chatbot"),
		.limit = cli_number(call, "--limit", 20),
	};
	struct buf text;
	int code;

	buf_init(&text, TEXT_CAP);
	code = read_text(call->arguments[0], &text);
	if (code == CLI_DONE && !text.len)
		code = cli_say(CLI_WRONG, "conversation search: there is nothing to search for");
	interrupt_catch();
	search.text = buf_view(&text);
	if (code == CLI_DONE)
		code = cli_connect(call, &search.db);
	if (code == CLI_DONE)
		code = look_and_print(call, &search);
	db_free(search.db);
	buf_wipe(&text);
	return code;
}
