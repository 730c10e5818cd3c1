/*
 * banterctl status: the pool's own words (pool/report) as tables; at a terminal once a second, until
 * Ctrl-C.
 */
#include "ctl/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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

/* A narrow terminal has no room for the last ones. */
static const struct status_column process_columns[] = {
	{ "pid", "pid", TABLE_NUMBER },		  { "kind", "kind", TABLE_TEXT },
	{ "state", "state", TABLE_TEXT },	  { "stage", "stage", TABLE_TEXT },
	{ "for_s", "stage_ms", TABLE_NUMBER },	  { "age_s", "age_ms", TABLE_NUMBER },
	{ "request_id", "request", TABLE_TEXT },  { "place", "place", TABLE_NUMBER },
	{ "requests", "requests", TABLE_NUMBER }, { "generation", "generation", TABLE_NUMBER },
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
	{ "busy", "busy", TABLE_NUMBER },	  { "peak", "peak", TABLE_NUMBER },
	{ "idle", "idle", TABLE_NUMBER },	  { "deaths", "deaths", TABLE_NUMBER },
	{ "starting", "starting", TABLE_NUMBER }, { "draining", "draining", TABLE_NUMBER },
	{ "age_s", "age_ms", TABLE_NUMBER },
};

static const struct status_column request_columns[] = {
	{ "requests", "requests", TABLE_NUMBER },    { "waiting", "waiting", TABLE_NUMBER },
	{ "waiting_s", "waiting_ms", TABLE_NUMBER }, { "refused", "refused", TABLE_NUMBER },
	{ "waited", "waited", TABLE_NUMBER },	     { "exchanges", "exchanges", TABLE_NUMBER },
	{ "tokens", "tokens", TABLE_NUMBER },
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
		 const struct status_column *columns, size_t count, bool busy, FILE *out)
{
	size_t n = json_type_of(rows) == JSON_ARRAY ? json_length(rows) : 1, i, k;
	struct terminal terminal = terminal_of(stdout);
	enum status status;
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
	status = table_print(table, call->form, false, &terminal, out);
	table_free(table);
	return cli_printed(status);
}

static int print_all(const struct cli_call *call, struct json_node root, bool busy, FILE *out)
{
	static const struct {
		const char *member;
		const struct status_column *columns;
		size_t count;
	} tables[] = {
		{ "pool", pool_columns, COUNT(pool_columns) },
		{ "pool", request_columns, COUNT(request_columns) },
		{ "sockets", socket_columns, COUNT(socket_columns) },
		{ "model_servers", server_columns, COUNT(server_columns) },
		{ "processes", process_columns, COUNT(process_columns) },
	};
	size_t i = call->form == TABLE_PEOPLE ? 0 : COUNT(tables) - 1;
	int code = CLI_DONE;

	for (; i < COUNT(tables) && code == CLI_DONE; i++) {
		code = print(call, json_member(root, tables[i].member), tables[i].columns,
			     tables[i].count, busy, out);
		if (i + 1 < COUNT(tables))
			putc('\n', out);
	}
	return code;
}

static int print_text(const struct cli_call *call, const struct buf *text, bool busy, FILE *out)
{
	struct json *json = NULL;
	int code;

	if (json_parse(buf_view(text), &json))
		return cli_say(CLI_FAILED, "what the pool answered cannot be read");
	code = print_all(call, json_root(json), busy, out);
	json_free(json);
	return code;
}

/* Over what stands there, so that nothing flickers; what the terminal has no line for is only counted. */
static void put_screen(struct str text, bool first)
{
	int room = terminal_of(stdout).height - 2,
	    lines = 0; /* but for the count, and the cursor */
	struct str line;

	fputs(first ? "\033[H\033[J" : "\033[H", stdout);
	for (; str_next(&text, '\n', &line); lines++)
		if (room < 0 || lines < room)
			printf("%.*s\033[K\n", STR_ARGS(line));
	if (room >= 0 && lines > room)
		printf("%d lines more\033[K\n", lines - room);
	fputs("\033[J", stdout);
}

static int put_again(const struct cli_call *call, const struct buf *text, bool first)
{
	char *screen = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&screen, &size);
	int code;

	if (!out)
		return cli_printed(STATUS_NOMEM);
	code = print_text(call, text, true, out);
	if (fclose(out) && code == CLI_DONE)
		code = cli_printed(STATUS_NOMEM);
	if (code == CLI_DONE)
		put_screen((struct str){ screen, size }, first);
	free(screen);
	return code;
}

/* For programs it is what the pool said, whole. */
static int put_once(const struct cli_call *call, const struct buf *text)
{
	return call->form == TABLE_JSON ? cli_print_text(buf_view(text))
					: print_text(call, text, false, stdout);
}

enum round { SHOW_ONCE, SHOW_FIRST, SHOW_AGAIN };

static int show(const struct cli_call *call, enum round how)
{
	struct buf text;
	int code;

	buf_init(&text, TEXT_CAP);
	code = running_ask(call, "status", &text, NULL);
	if (code == CLI_DONE)
		code = how == SHOW_ONCE ? put_once(call, &text)
					: put_again(call, &text, how == SHOW_FIRST);
	if (how != SHOW_ONCE)
		fflush(stdout);
	buf_clear(&text);
	return code;
}

int status_run(const struct cli_call *call)
{
	struct terminal terminal = terminal_of(stdout);
	const struct timespec second = { .tv_sec = 1 };
	int code;

	if (!terminal.width || call->form != TABLE_PEOPLE || cli_value(call, "--once"))
		return show(call, SHOW_ONCE);
	interrupt_catch();
	code = show(call, SHOW_FIRST);
	while (code == CLI_DONE && !interrupt_came()) {
		nanosleep(&second, NULL);
		if (!interrupt_came())
			code = show(call, SHOW_AGAIN);
	}
	return code;
}
