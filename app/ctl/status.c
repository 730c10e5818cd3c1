/*
 * banterctl status: the pool's own words (pool/report) as tables; at a terminal once a second, until
 * Ctrl-C.
 */
#include "ctl/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/count.h"
#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/rows.h"
#include "ctl/running.h"
#include "wire/json.h"

#define TEXT_CAP (32 << 20)
#define CELL 64

/* A column: the member it shows. "…_ms" is shown in seconds. */
struct status_column {
	const char *name, *member;
	enum table_type type;
};

static const struct status_column process_columns[] = {
	{ "place", "place", TABLE_NUMBER },	  { "kind", "kind", TABLE_TEXT },
	{ "pid", "pid", TABLE_NUMBER },		  { "state", "state", TABLE_TEXT },
	{ "stage", "stage", TABLE_TEXT },	  { "for_s", "stage_ms", TABLE_NUMBER },
	{ "age_s", "age_ms", TABLE_NUMBER },	  { "generation", "generation", TABLE_NUMBER },
	{ "requests", "requests", TABLE_NUMBER }, { "request_id", "request", TABLE_TEXT },
};

static const struct status_column server_columns[] = {
	{ "server", "server", TABLE_TEXT },
	{ "breaker", "breaker", TABLE_TEXT },
	{ "failures", "failures", TABLE_NUMBER },
	{ "open_s", "open_ms", TABLE_NUMBER },
	{ "requests", "requests_open", TABLE_NUMBER },
	{ "most", "most", TABLE_NUMBER },
};

static const struct status_column socket_columns[] = {
	{ "socket", "socket", TABLE_TEXT },
	{ "address", "address", TABLE_TEXT },
	{ "waiting", "waiting", TABLE_NUMBER },
	{ "most", "most", TABLE_NUMBER },
};

static const struct status_column pool_columns[] = {
	{ "workers", "workers", TABLE_NUMBER },	  { "most", "most", TABLE_NUMBER },
	{ "idle", "idle", TABLE_NUMBER },	  { "busy", "busy", TABLE_NUMBER },
	{ "peak", "peak", TABLE_NUMBER },	  { "starting", "starting", TABLE_NUMBER },
	{ "draining", "draining", TABLE_NUMBER }, { "waiting", "waiting", TABLE_NUMBER },
	{ "waited", "waited", TABLE_NUMBER },	  { "refused", "refused", TABLE_NUMBER },
	{ "deaths", "deaths", TABLE_NUMBER },	  { "requests", "requests", TABLE_NUMBER },
};

static struct str cell_of(struct json_node row, const struct status_column *column, char text[CELL])
{
	struct json_node node = json_member(row, column->member);
	struct str value = STR_NONE;
	int64_t number;

	if (json_get_string(node, &value) || !json_get_integer(node, &number))
		return value;
	if (str_equal(str_from(column->name), str_from(column->member)) ||
	    !str_holds(str_from(column->member), STR("_ms")))
		snprintf(text, CELL, "%" PRId64, number);
	else
		snprintf(text, CELL, "%" PRId64 ".%d", number / 1000, (int)(number % 1000 / 100));
	return str_from(text);
}

static bool is_idle(struct json_node row)
{
	struct str state;

	return json_get_string(json_member(row, "state"), &state) && str_equal(state, STR("idle"));
}

/* `busy`: idle ones are left out. */
static int print(const struct cli_call *call, struct json_node rows,
		 const struct status_column *columns, size_t count, bool busy)
{
	size_t n = json_type_of(rows) == JSON_ARRAY ? json_length(rows) : 1, i, k;
	struct table *table;
	char text[CELL];

	if (table_new(&table))
		return cli_say(CLI_FAILED, "no memory");
	for (k = 0; k < count; k++)
		table_column(table, columns[k].name, columns[k].type);
	for (i = 0; i < n; i++) {
		struct json_node row =
			json_type_of(rows) == JSON_ARRAY ? json_element(rows, i) : rows;

		for (k = 0; k < count && !(busy && is_idle(row)); k++)
			table_cell(table, cell_of(row, &columns[k], text));
	}
	return cli_print_table(call, table, false);
}

static int print_all(const struct cli_call *call, struct json_node root, bool busy)
{
	static const struct {
		const char *member;
		const struct status_column *columns;
		size_t count;
	} tables[] = {
		{ "pool", pool_columns, COUNT(pool_columns) },
		{ "sockets", socket_columns, COUNT(socket_columns) },
		{ "model_servers", server_columns, COUNT(server_columns) },
		{ "processes", process_columns, COUNT(process_columns) },
	};
	size_t i = call->form == TABLE_PEOPLE ? 0 : COUNT(tables) - 1;
	int code = CLI_DONE;

	for (; i < COUNT(tables) && code == CLI_DONE; i++) {
		code = print(call, json_member(root, tables[i].member), tables[i].columns,
			     tables[i].count, busy);
		if (i + 1 < COUNT(tables))
			putchar('\n');
	}
	return code;
}

/* For programs it is what the pool said, whole. */
static int print_text(const struct cli_call *call, const struct buf *text, bool busy)
{
	struct json *json = NULL;
	int code;

	errno = 0;
	if (call->form == TABLE_JSON)
		return fwrite(text->data, 1, text->len, stdout) == text->len
			       ? CLI_DONE
			       : cli_printed(STATUS_FAILED);
	if (json_parse(buf_view(text), &json))
		return cli_say(CLI_FAILED, "what the pool answered cannot be read");
	code = print_all(call, json_root(json), busy);
	json_free(json);
	return code;
}

static int show(const struct cli_call *call, bool again)
{
	struct buf text;
	int code;

	buf_init(&text, TEXT_CAP);
	code = running_ask(call, "status", &text, NULL);
	if (code == CLI_DONE && again)
		fputs("\033[H\033[J", stdout);
	if (code == CLI_DONE)
		code = print_text(call, &text, again);
	fflush(stdout);
	buf_clear(&text);
	return code;
}

int status_run(const struct cli_call *call)
{
	struct terminal terminal = terminal_of(stdout);
	const struct timespec second = { .tv_sec = 1 };
	bool again = terminal.width && call->form == TABLE_PEOPLE && !cli_value(call, "--once");
	int code;

	if (again)
		interrupt_catch();
	code = show(call, again);
	while (again && code == CLI_DONE && !interrupt_came()) {
		nanosleep(&second, NULL);
		if (!interrupt_came())
			code = show(call, again);
	}
	return code;
}
