/* banterctl conversation import: a line a conversation, each stored whole or not at all. */
#include "ctl/conversation_import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/query.h"
#include "ops/conversation.h"

#define TOO_MANY_REFUSED 20  /* then it is probably another kind of file */
#define LINE_CAP (512 << 20) /* PostgreSQL takes no value of a gigabyte */

struct import {
	const struct cli_call *call;
	struct ops ops;
	const char *chatbot;
	int64_t line, imported, present, refused;
};

static int take_record(struct import *import, struct str record)
{
	enum ops_import outcome = OPS_IMPORTED;
	enum status status =
		ops_conversation_import(&import->ops, record, import->chatbot, &outcome);

	/* A line that is none is named; the others are stored. */
	if (status == STATUS_INVALID) {
		import->refused++;
		cli_say(CLI_FAILED, "line %" PRId64 ": %s", import->line, import->ops.refusal);
		return CLI_DONE;
	}
	import->imported += status == STATUS_OK && outcome == OPS_IMPORTED;
	import->present += status == STATUS_OK && outcome == OPS_PRESENT;
	return cli_ended(import->call, &import->ops, status);
}

/* The next line, without its end; false: there is none. */
static bool read_line(FILE *in, struct buf *line)
{
	int c = EOF;

	buf_truncate(line, 0);
	while (!buf_check(line) && (c = getc_unlocked(in)) != EOF && c != '\n')
		buf_putc(line, (char)c);
	return c != EOF || (line->len && !ferror(in));
}

static int take_lines(struct import *import, FILE *in)
{
	struct buf line;
	int code = CLI_DONE;

	buf_init(&line, LINE_CAP);
	while (code == CLI_DONE && !interrupt_came() && import->refused < TOO_MANY_REFUSED &&
	       read_line(in, &line)) {
		import->line++;
		if (buf_check(&line))
			code = cli_say(CLI_FAILED, "line %" PRId64 " is longer than %d bytes",
				       import->line, LINE_CAP);
		else if (str_trim(buf_view(&line), STR_SPACE).n)
			code = take_record(import, buf_view(&line));
		progress_show("conversations", import->line, 0);
	}
	progress_end();
	buf_clear(&line);
	if (code == CLI_DONE && ferror(in) && !interrupt_came())
		return cli_say(CLI_FAILED, "it cannot be read: %s", strerror(errno));
	return code;
}

static int say_end(const struct import *import, int code)
{
	printf("%" PRId64 " imported, %" PRId64 " were there already", import->imported,
	       import->present);
	if (import->refused)
		printf(", %" PRId64 " refused", import->refused);
	putchar('\n');
	if (code != CLI_DONE)
		return cli_say(code, "stopped at line %" PRId64 "; run it again for the rest",
			       import->line);
	if (interrupt_came())
		return cli_say(CLI_FAILED,
			       "stopped behind line %" PRId64 "; run it again for the rest",
			       import->line);
	if (import->refused == TOO_MANY_REFUSED)
		return cli_say(CLI_FAILED, "too much is refused: stopped behind line %" PRId64,
			       import->line);
	return import->refused ? CLI_FAILED : CLI_DONE;
}

static int take_file(const struct cli_call *call, FILE *in)
{
	struct import import = { .call = call, .chatbot = cli_value(call, "--chatbot") };
	int code;

	interrupt_catch();
	code = cli_open(call, &import.ops);
	if (code == CLI_DONE)
		code = take_lines(&import, in);
	cli_close(&import.ops);
	return say_end(&import, code);
}

int conversation_import(const struct cli_call *call)
{
	const char *path = call->arguments[0];
	FILE *in;
	int code;

	if (strcmp(path, "-") == 0)
		return take_file(call, stdin);
	in = fopen(path, "re");
	if (!in)
		return cli_say(CLI_FAILED, "%s cannot be read: %s", path, strerror(errno));
	code = take_file(call, in);
	fclose(in);
	return code;
}
