/*
 * banterctl tail. Following asks once a second for what ended since; a moment is asked for twice,
 * since an exchange's time is taken before its commit, and what was shown already is left out.
 */
#include "ctl/tail.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/query.h"
#include "cli/rows.h"
#include "ops/statistics.h"

#define ASK_AT_MOST 500 /* ended in a second, of those that are shown */
#define REMEMBERED 2048
#define ID_SIZE 48

struct tail {
	const struct cli_call *call;
	struct ops ops;
	char since[ID_SIZE];
	char shown[REMEMBERED][ID_SIZE]; /* the ids that were, a ring */
	size_t next;
	struct table_so_far so_far;
};

static int ask(struct tail *tail, int64_t limit, const char *since, struct db_rows **rows)
{
	return cli_ended(tail->call, &tail->ops,
			 ops_statistics_tail(&tail->ops, cli_value(tail->call, "--chatbot"), since,
					     limit, rows));
}

static bool remember(struct tail *tail, struct str id)
{
	size_t i;

	if (id.n >= ID_SIZE)
		return false;
	for (i = 0; i < REMEMBERED; i++)
		if (str_equal(str_from(tail->shown[i]), id))
			return false;
	memcpy(tail->shown[tail->next], id.p, id.n);
	tail->shown[tail->next][id.n] = '\0';
	tail->next = (tail->next + 1) % REMEMBERED;
	return true;
}

/* What runs is shown once, at the start: it is shown again when it has ended. */
static int show(struct tail *tail, const struct db_rows *rows)
{
	struct terminal terminal = terminal_of(stdout);
	struct table *table;
	enum status status;
	struct str ended;
	int columns = cli_columns(tail->call, rows, false), row, i;

	if (columns > OPS_TAIL_ENDED) /* ours alone: the last, and never shown */
		columns = OPS_TAIL_ENDED;
	if (table_new(&table))
		return cli_say(CLI_FAILED, "no memory");
	for (i = 0; i < columns; i++)
		table_column(table, db_rows_name(rows, i), cli_type(rows, i));
	for (row = 0; row < db_rows_count(rows); row++) {
		ended = db_rows_text(rows, row, OPS_TAIL_ENDED);
		if (ended.p && !remember(tail, db_rows_text(rows, row, OPS_TAIL_ID)))
			continue;
		if (ended.p && ended.n < ID_SIZE)
			snprintf(tail->since, sizeof(tail->since), "%.*s", STR_ARGS(ended));
		for (i = 0; i < columns; i++)
			table_cell(table, db_rows_text(rows, row, i));
	}
	status = cli_value(tail->call, "--follow")
			 ? table_print_more(table, tail->call->form, &tail->so_far, &terminal,
					    stdout)
			 : table_print(table, tail->call->form, false, &terminal, stdout);
	table_free(table);
	return cli_printed(status);
}

static int follow(struct tail *tail)
{
	const struct timespec second = { .tv_sec = 1 };
	struct db_rows *rows;
	int code = CLI_DONE;

	while (code == CLI_DONE && !interrupt_came()) {
		nanosleep(&second, NULL);
		rows = NULL;
		if (interrupt_came())
			break;
		code = ask(tail, ASK_AT_MOST, tail->since, &rows);
		if (code == CLI_DONE)
			code = show(tail, rows);
		db_rows_free(rows);
	}
	return code;
}

int tail_run(const struct cli_call *call)
{
	static struct tail tail;
	struct db_rows *rows = NULL;
	int code;

	tail.call = call;
	snprintf(tail.since, sizeof(tail.since), "now");
	code = cli_open(call, &tail.ops);
	if (code == CLI_DONE)
		code = ask(&tail, cli_number(call, "--limit", 10), NULL, &rows);
	if (code == CLI_DONE)
		code = show(&tail, rows);
	db_rows_free(rows);
	if (code == CLI_DONE && cli_value(call, "--follow")) {
		interrupt_catch();
		code = follow(&tail);
	}
	cli_close(&tail.ops);
	return code;
}
