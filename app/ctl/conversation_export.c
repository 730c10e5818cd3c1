/*
 * Conversations with their texts: `conversation export` and `conversation show`.  They are read some
 * exchanges at a time, inside one read-only transaction, so that however many there are they fit into
 * memory and are those of one moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "ctl/conversation.h"
#include "cli/terminal.h"

#define AT_A_TIME 200 /* exchanges; each may be some hundred kilobytes */
#define SCRIPT_MS 60000

/* The columns of banter.conversation_export(). */
enum { WORKSPACE, CONVERSATION, POSITION, ATTEMPT, HEAD, BODY };

struct format {
	const char *name;
	const char *separator; /* between two exchanges */
	const char *end;       /* of a conversation */
};

static const struct format formats[] = {
	{ "jsonl", ",", "]}\n" },
	{ "markdown", "", "\n" },
};

struct reading {
	const struct format *format;
	const char *workspace, *chatbot, *conversation; /* which; NULL: all */
	bool person;  /* what could steer a terminal is not shown as it is */
	bool running; /* what runs, too */
	FILE *out;
	int64_t conversations;
	bool between; /* the next exchange of the conversation is not its first */
};

static void put(const struct reading *reading, struct str text)
{
	if (reading->person)
		table_print_text(text, reading->out);
	else
		fwrite(text.p, 1, text.n, reading->out);
}

static bool same_conversation(const struct db_rows *a, int row, const struct db_rows *b, int other)
{
	return str_equal(db_rows_text(a, row, WORKSPACE), db_rows_text(b, other, WORKSPACE)) &&
	       str_equal(db_rows_text(a, row, CONVERSATION), db_rows_text(b, other, CONVERSATION));
}

/* Ends with the row that could not be written; errno then says why. */
static void write_rows(struct reading *reading, const struct db_rows *last,
		       const struct db_rows *rows)
{
	int row, before = db_rows_count(last) - 1;
	struct str body;

	for (row = 0; row < db_rows_count(rows) && !ferror(reading->out); row++) {
		if (!same_conversation(rows, row, row ? rows : last, row ? row - 1 : before)) {
			if (reading->conversations++)
				fputs(reading->format->end, reading->out);
			put(reading, db_rows_text(rows, row, HEAD));
			reading->between = false;
		}
		body = db_rows_text(rows, row, BODY);
		if (!body.p)
			continue;
		if (reading->between)
			fputs(reading->format->separator, reading->out);
		reading->between = true;
		put(reading, body);
	}
}

static int read_some(struct db *db, const struct reading *reading, const struct db_rows *last,
		     struct db_rows **out)
{
	int row = db_rows_count(last) - 1, i;
	struct db_query query;

	db_query_init(&query, "export",
		      "select * from banter.conversation_export($1, $2, $3, $4, $5, $6, $7, $8, "
		      "$9, $10)");
	db_add_input(&query, reading->format->name);
	db_add_input(&query, reading->workspace);
	db_add_input(&query, reading->chatbot);
	db_add_input(&query, reading->conversation);
	db_add_boolean(&query, reading->running);
	for (i = WORKSPACE; i <= ATTEMPT; i++)
		db_add_input(&query, last ? db_rows_text(last, row, i).p : NULL);
	db_add_integer(&query, AT_A_TIME);
	return cli_query(db, &query, out);
}

static int write_failed(void)
{
	return cli_say(CLI_FAILED, "it could not be written: %s", strerror(errno));
}

/* What fwrite() could not write it has dropped: nothing of it is left for fflush() to fail at. */
static int written(FILE *out)
{
	return ferror(out) || fflush(out) ? write_failed() : CLI_DONE;
}

static int read_all(struct db *db, struct reading *reading)
{
	struct db_rows *rows = NULL, *last = NULL;
	int code = CLI_DONE, count = AT_A_TIME;

	while (code == CLI_DONE && count == AT_A_TIME && !interrupt_came()) {
		rows = NULL;
		code = read_some(db, reading, last, &rows);
		count = db_rows_count(rows);
		write_rows(reading, last, rows);
		if (code == CLI_DONE)
			code = written(reading->out);
		if (reading->out != stdout)
			progress_show("conversations", reading->conversations, 0);
		if (count) {
			db_rows_free(last);
			last = rows;
		} else {
			db_rows_free(rows);
		}
	}
	db_rows_free(last);
	progress_end();
	if (code == CLI_DONE && reading->conversations && !interrupt_came())
		fputs(reading->format->end, reading->out);
	if (code == CLI_DONE)
		code = written(reading->out);
	return code;
}

/* All of it as it is at one moment. */
static int read_at_once(const struct cli_call *call, struct reading *reading)
{
	struct db *db = NULL;
	int code;

	code = cli_connect(call, &db);
	if (code == CLI_DONE &&
	    db_script(db, "export", "begin isolation level repeatable read read only",
		      clock_ms() + SCRIPT_MS, NULL))
		code = CLI_FAILED;
	if (code == CLI_DONE) {
		db_hold(db, true);
		code = read_all(db, reading);
	}
	db_free(db); /* ends the transaction, which wrote nothing */
	return code;
}

int conversation_show(const struct cli_call *call)
{
	bool json = cli_value(call, "--json");
	struct reading reading = {
		.format = &formats[json ? 0 : 1],
		.conversation = call->arguments[0],
		.person = !json,
		.running = true,
		.out = stdout,
	};

	return read_at_once(call, &reading);
}

static const struct format *find_format(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

static int open_output(const char *path, FILE **out)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	*out = fd < 0 ? NULL : fdopen(fd, "w");
	if (*out)
		return CLI_DONE;
	return cli_say(CLI_FAILED, "%s cannot be made: %s", path, strerror(errno));
}

static int close_output(const char *path, FILE *out, int code)
{
	if (code == CLI_DONE && fsync(fileno(out)))
		code = write_failed();
	if (fclose(out) && code == CLI_DONE)
		code = write_failed();
	if (code != CLI_DONE || interrupt_came())
		unlink(path); /* half of it is nothing */
	return code;
}

int conversation_export(const struct cli_call *call)
{
	const char *path = cli_value(call, "--output"), *format = cli_value(call, "--format");
	struct reading reading = {
		.format = find_format(format ? format : "jsonl"),
		.workspace = cli_value(call, "--workspace"),
		.chatbot = cli_value(call, "--chatbot"),
		.conversation = call->arguments[0],
		.person = !path && terminal_of(stdout).width > 0,
		.out = stdout,
	};
	int code;

	if (!!reading.workspace + !!reading.chatbot + !!reading.conversation > 1)
		return cli_say(CLI_WRONG, "conversation export: CONVERSATION, --chatbot and "
					  "--workspace are three ways to say which; take one");
	if (path && open_output(path, &reading.out))
		return CLI_FAILED;
	interrupt_catch();
	code = read_at_once(call, &reading);
	if (path)
		code = close_output(path, reading.out, code);
	if (code == CLI_DONE && interrupt_came())
		return cli_say(CLI_FAILED, "stopped; it is not whole");
	if (code == CLI_DONE && path)
		printf("%lld conversation%s\n", (long long)reading.conversations,
		       reading.conversations == 1 ? "" : "s");
	return code;
}
