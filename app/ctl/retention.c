/* How long things are kept: prune, by hand, and sweep, for a timer. */
#include <inttypes.h>
#include <stdio.h>

#include "base/count.h"
#include "ctl/conversation.h"
#include "ctl/commands.h"

#define AT_A_TIME 1000

/* What a sweep found, in the order of its columns. */
struct swept {
	int64_t leases, keys, windows;
	struct erased kept_too_long;
};

static int run_prune(const struct cli_call *call)
{
	struct erasure erasure = {
		.age = cli_value(call, "--older-than"),
		.chatbot = cli_value(call, "--chatbot"),
	};

	if (!erasure.age)
		return cli_say(CLI_WRONG,
			       "prune: --older-than is missing; see banterctl prune --help");
	return erase_asking(call, &erasure);
}

static int sweep_leases(struct db *db, int64_t *count)
{
	struct db_rows *rows = NULL, *last = NULL;
	struct db_query query;
	bool more = true;
	int code = CLI_DONE;

	while (code == CLI_DONE && more && !interrupt_came()) {
		db_query_init(&query, "sweep", "select * from banter.sweep_leases($1)");
		db_add_input(&query, db_rows_text(last, 0, 0).p);
		code = cli_query(db, &query, &rows);
		more = db_rows_text(rows, 0, 0).p;
		*count += db_rows_integer(rows, 0, 1, 0);
		db_rows_free(last);
		last = rows;
		rows = NULL;
	}
	db_rows_free(last);
	return code;
}

/* A statement that deletes at most $1 rows and says how many, until there are no more. */
static int sweep_rows(struct db *db, const char *sql, int64_t *count)
{
	int64_t some = AT_A_TIME;
	struct db_rows *rows;
	struct db_query query;
	int code = CLI_DONE;

	while (code == CLI_DONE && some == AT_A_TIME && !interrupt_came()) {
		rows = NULL;
		db_query_init(&query, "sweep", sql);
		db_add_integer(&query, AT_A_TIME);
		code = cli_query(db, &query, &rows);
		some = db_rows_integer(rows, 0, 0, 0);
		*count += some;
		db_rows_free(rows);
	}
	return code;
}

static int sweep(struct db *db, struct swept *swept)
{
	static const struct erasure retention = { .retention = true };
	struct erased due;
	int code;

	interrupt_catch();
	code = sweep_leases(db, &swept->leases);
	if (code == CLI_DONE)
		code = sweep_rows(db, "select banter.sweep_keys($1)", &swept->keys);
	if (code == CLI_DONE)
		code = sweep_rows(db, "select banter.sweep_windows($1)", &swept->windows);
	if (code == CLI_DONE)
		code = erase_count(db, &retention, &due);
	if (code == CLI_DONE)
		code = erase_run(db, &retention, due.conversations, &swept->kept_too_long);
	return code;
}

static int count_due(struct db *db, struct swept *swept)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	int code;

	db_query_init(&query, "sweep", "select * from banter.sweep_due()");
	code = cli_query(db, &query, &rows);
	*swept = (struct swept){
		.leases = db_rows_integer(rows, 0, 0, 0),
		.keys = db_rows_integer(rows, 0, 1, 0),
		.windows = db_rows_integer(rows, 0, 2, 0),
		.kept_too_long = { db_rows_integer(rows, 0, 3, 0), db_rows_integer(rows, 0, 4, 0),
				   0 },
	};
	db_rows_free(rows);
	return code;
}

static int print_swept(const struct cli_call *call, const struct swept *swept)
{
	const struct {
		const char *name;
		int64_t count;
	} columns[] = {
		{ "lost_exchanges", swept->leases },
		{ "idempotency_keys", swept->keys },
		{ "rate_windows", swept->windows },
		{ "conversations", swept->kept_too_long.conversations },
		{ "exchanges", swept->kept_too_long.exchanges },
	};
	struct table *table;
	char number[24];
	size_t i, count = COUNT(columns);

	if (table_new(&table))
		return cli_say(CLI_FAILED, "no memory");
	for (i = 0; i < count; i++)
		table_column(table, columns[i].name, TABLE_NUMBER);
	for (i = 0; i < count; i++) {
		snprintf(number, sizeof(number), "%" PRId64, columns[i].count);
		table_cell(table, str_from(number));
	}
	return cli_print_table(call, table, true);
}

static int run_sweep(const struct cli_call *call)
{
	struct swept swept = { 0 };
	struct db *db = NULL;
	int code;

	code = cli_connect(call, &db);
	if (code == CLI_DONE)
		code = cli_value(call, "--dry-run") ? count_due(db, &swept) : sweep(db, &swept);
	db_free(db);
	if (code == CLI_DONE)
		code = print_swept(call, &swept);
	if (code == CLI_DONE && interrupt_came())
		code = cli_say(CLI_FAILED, "stopped; run it again for the rest");
	return code;
}

static const struct cli_option prune_options[] = {
	{ "--older-than", "AGE", "without a question since: 18h, 90d, 12w, 2y" },
	{ "--chatbot", "CHATBOT", "only with this chatbot" },
	{ .name = NULL },
};

static const struct cli_option sweep_options[] = {
	{ "--dry-run", NULL, "say what there is to do, and do nothing" },
	{ .name = NULL },
};

const struct cli_command ctl_retention_commands[] = {
	{ .name = "prune",
	  .arguments = "",
	  .meaning = "Deletes conversations that have not gone on for long",
	  .more = "As conversation delete does: no text of them stays in any table. It may be\n"
		  "interrupted at any time; what it deleted by then is gone for good, the rest\n"
		  "untouched. A chatbot's retention_days have sweep do this every day.",
	  .example = "prune --older-than 90d --chatbot Support",
	  .options = prune_options,
	  .flags = CLI_ASKS,
	  .run = run_prune },
	{ .name = "sweep",
	  .arguments = "",
	  .meaning = "Does the daily cleaning, for a timer: asks nothing",
	  .more = "It gives back the credits that dead workers had reserved, forgets idempotency\n"
		  "keys after their 24 hours and rate windows that have ended, and deletes the\n"
		  "conversations that their chatbot's retention_days say are kept too long. It "
		  "may\n"
		  "run beside the pool, and twice at once.",
	  .example = "sweep --dry-run",
	  .options = sweep_options,
	  .flags = CLI_PRINTS,
	  .run = run_sweep },
	{ .name = NULL },
};
