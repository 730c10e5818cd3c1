/* banterctl stats: a table, and for people at a terminal a small plot of the exchanges under it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/watch.h"

#define SQL_SIZE 512
#define BAR_WIDEST 40
#define NAME_WIDEST 24
#define DAYS_MOST 3660 /* as sql/operator/stats.sql has it */

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

static int run_stats(const struct cli_call *call)
{
	struct terminal terminal = terminal_of(stdout);
	const char *by = cli_value(call, "--by") ? cli_value(call, "--by") : "day";
	int64_t days = cli_number(call, "--days", 14);
	struct db_rows *rows = NULL;
	struct db *db = NULL;
	struct db_query query;
	char sql[SQL_SIZE];
	int code;

	if (days < 1 || days > DAYS_MOST)
		return cli_say(CLI_WRONG, "stats: --days is from 1 to %d", DAYS_MOST);
	/* A person's first column is headed by what it holds; a program's is always called the same. */
	snprintf(sql, sizeof(sql),
		 "select name as \"%s\", exchanges, done, \"left\", failed, tokens_in, tokens_out,"
		 " credits, first_ms_half, first_ms_most, total_ms_half, running"
		 " from banter.stats($1, $2, $3, $4)",
		 call->form == TABLE_PEOPLE ? by : "name");
	db_query_init(&query, "stats", sql);
	db_add_input(&query, by);
	db_add_integer(&query, days);
	db_add_input(&query, cli_value(call, "--workspace"));
	db_add_input(&query, cli_value(call, "--chatbot"));
	code = cli_connect(call, &db);
	if (code == CLI_DONE)
		code = cli_query(db, &query, &rows);
	if (code == CLI_DONE)
		code = cli_print_rows(call, rows, false);
	if (code == CLI_DONE && call->form == TABLE_PEOPLE && terminal.width)
		plot(rows, &terminal);
	db_rows_free(rows);
	db_free(db);
	return code;
}

static const struct cli_option stats_options[] = {
	{ "--by", "day|chatbot|model|workspace|error", "day, if not said; error: by cause" },
	{ "--days", "N", "of how many days, today included; 14 if not said" },
	{ "--workspace", "WORKSPACE", "of this workspace only" },
	{ "--chatbot", "CHATBOT", "of this chatbot only" },
	{ .name = NULL },
};

static const struct cli_option tail_options[] = {
	{ "--limit", "N", "how many of those that ended; 10 if not said" },
	{ "--follow", NULL, "go on: a line for each that ends, until Ctrl-C" },
	{ "--chatbot", "CHATBOT", "of this chatbot only" },
	{ .name = NULL },
};

const struct cli_command ctl_watch_commands[] = {
	{ .name = "stats",
	  .arguments = "",
	  .meaning = "Shows how much is used: exchanges, tokens, errors, credits, times",
	  .more = "Days are UTC's. first_ms_half and first_ms_most are the milliseconds to the "
		  "first token\n"
		  "within which half and 95 of 100 exchanges had it, total_ms_half the same of the "
		  "whole. What\n"
		  "was erased is not counted. The first column is what --by says; programs find it "
		  "as name.",
	  .example = "stats --by chatbot --days 30",
	  .options = stats_options,
	  .flags = CLI_PRINTS,
	  .details = 2,
	  .run = run_stats },
	{ .name = "tail",
	  .arguments = "",
	  .meaning = "Shows the exchanges that ended last and those that run, without their texts",
	  .more = "The request's id is also in the pool's log and in the reply's X-Request-Id.",
	  .example = "tail --follow",
	  .options = tail_options,
	  .flags = CLI_PRINTS,
	  .details = 5, /* the column that is tail's own among them */
	  .run = watch_tail },
	{ .name = NULL },
};
