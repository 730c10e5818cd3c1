/*
 * Conversations with their texts: `conversation export` and `conversation show`.  They are read some
 * exchanges at a time, and are those of one moment.
 */
#include "ctl/conversation_export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/query.h"
#include "cli/table_people.h"
#include "ops/conversation.h"

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
	struct ops_conversation_export which;
	bool person; /* what could steer a terminal is not shown as it is */
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
	return str_equal(db_rows_text(a, row, OPS_EXPORT_WORKSPACE),
			 db_rows_text(b, other, OPS_EXPORT_WORKSPACE)) &&
	       str_equal(db_rows_text(a, row, OPS_EXPORT_CONVERSATION),
			 db_rows_text(b, other, OPS_EXPORT_CONVERSATION));
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
			put(reading, db_rows_text(rows, row, OPS_EXPORT_HEAD));
			reading->between = false;
		}
		body = db_rows_text(rows, row, OPS_EXPORT_BODY);
		if (!body.p)
			continue;
		if (reading->between)
			fputs(reading->format->separator, reading->out);
		reading->between = true;
		put(reading, body);
	}
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

static int read_all(const struct cli_call *call, struct ops *ops, struct reading *reading)
{
	struct db_rows *rows = NULL, *last = NULL;
	int code = CLI_DONE;
	bool more = true;

	while (code == CLI_DONE && more && !interrupt_came()) {
		rows = NULL;
		code = cli_ended(call, ops,
				 ops_conversation_export_next(ops, &reading->which, last, &rows));
		more = ops_conversation_export_goes_on(rows);
		write_rows(reading, last, rows);
		if (code == CLI_DONE)
			code = written(reading->out);
		if (reading->out != stdout)
			progress_show("conversations", reading->conversations, 0);
		if (db_rows_count(rows)) {
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
	struct ops ops;
	int code;

	reading->which.format = reading->format->name;
	code = cli_open(call, &ops);
	if (code == CLI_DONE && ops_conversation_export_begin(&ops))
		code = CLI_FAILED;
	if (code == CLI_DONE)
		code = read_all(call, &ops, reading);
	cli_close(&ops); /* ends the transaction, which wrote nothing */
	return code;
}

int conversation_show(const struct cli_call *call)
{
	bool json = cli_value(call, "--json");
	struct reading reading = {
		.format = &formats[json ? 0 : 1],
		.which = { .conversation = call->arguments[0], .running = true },
		.person = !json,
		.out = stdout,
	};

	return read_at_once(call, &reading);
}

/* The command line has held it against the table of options; not said: the first. */
static const struct format *find_format(const char *name)
{
	size_t i = 0;

	while (name && i + 1 < COUNT(formats) && strcmp(formats[i].name, name) != 0)
		i++;
	return &formats[i];
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
	const char *path = cli_value(call, "--output");
	struct reading reading = {
		.format = find_format(cli_value(call, "--format")),
		.which = { .workspace = cli_value(call, "--workspace"),
			   .chatbot = cli_value(call, "--chatbot"),
			   .conversation = call->arguments[0] },
		.person = !path && terminal_of(stdout).width > 0,
		.out = stdout,
	};
	int code;

	if (!!reading.which.workspace + !!reading.which.chatbot + !!reading.which.conversation > 1)
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
