/* A call's options and arguments, and words to and from the person who called. */
#include "cli/call.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "wire/frame.h"
#include "wire/utf8.h"

#define VALUE_CAP (1 << 20)
#define TEXT_BYTES 4096

__attribute__((format(printf, 1, 0))) static void put_plain(const char *format, va_list args)
{
	char text[TEXT_BYTES];

	vsnprintf(text, sizeof(text), format, args);
	log_plain(text);
	fputs(text, stderr);
}

int cli_say(int code, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	put_plain(format, args);
	va_end(args);
	putc('\n', stderr);
	return code;
}

const char *cli_value(const struct cli_call *call, const char *option)
{
	const struct cli_option *options = call->command->options;
	int i;

	for (i = 0; options && options[i].name; i++)
		if (strcmp(options[i].name, option) == 0)
			return call->values[i];
	return NULL;
}

int64_t cli_number(const struct cli_call *call, const char *option, int64_t fallback)
{
	const char *text = cli_value(call, option);

	return text ? strtoll(text, NULL, 10) : fallback;
}

int cli_ask(const struct cli_call *call, const char *format, ...)
{
	char answer[16];
	va_list args;
	bool yes;

	if (call->yes)
		return CLI_DONE;
	if (!isatty(STDIN_FILENO))
		return cli_say(CLI_WRONG, "%s: nobody is here to be asked; say --yes",
			       call->command->name);
	va_start(args, format);
	put_plain(format, args);
	va_end(args);
	fprintf(stderr, " [y/N] ");
	yes = fgets(answer, sizeof(answer), stdin) && tolower((unsigned char)answer[0]) == 'y';
	return yes ? CLI_DONE : cli_say(CLI_FAILED, "nothing was done");
}

int cli_read(const char *path, struct buf *out)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char chunk[16384];
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_append(out, chunk, (size_t)n);
	if (n < 0)
		cli_say(CLI_FAILED, "%s cannot be read: %s", path, strerror(errno));
	else if (buf_check(out))
		cli_say(CLI_FAILED, "%s is longer than %zu bytes", path, out->cap);
	if (fd > STDIN_FILENO)
		close(fd);
	return n < 0 || buf_check(out) ? CLI_FAILED : CLI_DONE;
}

static bool is_text(struct str bytes)
{
	return utf8_valid(bytes, NULL) && !(bytes.n && memchr(bytes.p, '\0', bytes.n));
}

static int put_change(const struct cli_call *call, char *argument, struct buf *out)
{
	char *value = strchr(argument, '=');
	struct buf text;
	int code;

	if (!value || value == argument)
		return cli_say(CLI_WRONG, "%s: %s should be SETTING=VALUE", call->command->name,
			       argument);
	if (!is_text(str_from(argument)))
		return cli_say(CLI_WRONG, "%s: what is not text in UTF-8 cannot be set",
			       call->command->name);
	if (out->len > 1)
		buf_putc(out, ',');
	frame_quote(out, (struct str){ argument, (size_t)(value - argument) });
	buf_putc(out, ':');
	value++;
	if (*value != '@') {
		frame_quote(out, str_from(value));
		return CLI_DONE;
	}
	buf_init(&text, VALUE_CAP);
	code = cli_read(value + 1, &text);
	/* An editor's last line feed is not meant. */
	if (code == CLI_DONE && text.len && text.data[text.len - 1] == '\n')
		buf_truncate(&text, text.len - 1);
	if (code == CLI_DONE && !is_text(buf_view(&text)))
		code = cli_say(CLI_WRONG, "%s is not text in UTF-8", value + 1);
	if (code == CLI_DONE)
		frame_quote(out, buf_view(&text));
	buf_wipe(&text);
	return code;
}

int cli_changes(const struct cli_call *call, int first, struct buf *out)
{
	int i, code;

	buf_init(out, 4 * VALUE_CAP);
	buf_putc(out, '{');
	for (i = first; i < call->count; i++) {
		code = put_change(call, call->arguments[i], out);
		if (code != CLI_DONE)
			return code;
	}
	buf_putc(out, '}');
	return buf_check(out) ? cli_say(CLI_FAILED, "no memory") : CLI_DONE;
}
