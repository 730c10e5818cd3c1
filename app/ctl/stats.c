/* banterctl stats: a table, and for people at a terminal a small plot of the exchanges under it. */
#include "ctl/stats.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/call.h"
#include "cli/query.h"
#include "cli/rows.h"
#include "cli/table_people.h"
#include "ops/statistics.h"

#define BAR_WIDEST 40
#define NAME_WIDEST 24

/* An eighth of a column at a time, where the terminal can show it (U+2588 to U+258F). */
static void put_bar(int64_t eighths, bool utf8)
{
	static const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };

	for (; eighths >= 8; eighths -= 8)
		fputs(utf8 ? "█" : "#", stdout);
	fputs(utf8 ? parts[eighths] : eighths ? "#" : "", stdout);
}

static void plot(const struct db_rows *rows, const struct terminal *terminal)
{
	int64_t most = 0, count;
	struct str name;
	int row;

	for (row = 0; row < db_rows_count(rows); row++) {
		count = db_rows_integer(rows, row, 1, 0);
		most = count > most ? count : most;
	}
	if (!most || terminal->width < BAR_WIDEST + NAME_WIDEST + 12)
		return;
	printf("\nexchanges\n");
	for (row = 0; row < db_rows_count(rows); row++) {
		name = db_rows_text(rows, row, 0);
		count = db_rows_integer(rows, row, 1, 0);
		table_put_text(name, NAME_WIDEST, terminal, stdout);
		putchar(' ');
		put_bar((count * BAR_WIDEST * 8 + most - 1) / most, terminal->utf8);
		printf(" %" PRId64 "\n", count);
	}
}

int stats_run(const struct cli_call *call)
{
	struct terminal terminal = terminal_of(stdout);
	const struct ops_statistics which = {
		.by = cli_value(call, "--by") ? cli_value(call, "--by") : "day",
		.days = cli_number(call, "--days", 14),
		.workspace = cli_value(call, "--workspace"),
		.chatbot = cli_value(call, "--chatbot"),
	};
	bool people = call->form == TABLE_PEOPLE;
	struct db_rows *rows = NULL;
	struct ops ops;
	int code;

	if (which.days < 1 || which.days > OPS_STATISTICS_DAYS)
		return cli_say(CLI_WRONG, "stats: --days is from 1 to %d", OPS_STATISTICS_DAYS);
	code = cli_open(call, &ops);
	if (code == CLI_DONE)
		code = cli_ended(call, &ops, ops_statistics_usage(&ops, &which, &rows));
	/* A person's first column is headed by what it holds; a program's is always called the same. */
	if (code == CLI_DONE)
		code = cli_print_rows(call, rows, people ? which.by : NULL, false);
	if (code == CLI_DONE && people && terminal.width)
		plot(rows, &terminal);
	db_rows_free(rows);
	cli_close(&ops);
	return code;
}
