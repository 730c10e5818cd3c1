/* What a command was called with, and how it speaks with the person who called it. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/command.h"
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

int ctl_say(int code, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "banterctl: ");
	va_start(args, format);
	put_plain(format, args);
	va_end(args);
	putc('\n', stderr);
	return code;
}

const char *ctl_value(const struct ctl_call *call, const char *option)
{
	const struct ctl_option *options = call->command->options;
	int i;

	for (i = 0; options && options[i].name; i++)
		if (strcmp(options[i].name, option) == 0)
			return call->values[i];
	return NULL;
}

int64_t ctl_number(const struct ctl_call *call, const char *option, int64_t fallback)
{
	const char *text = ctl_value(call, option);

	return text ? strtoll(text, NULL, 10) : fallback;
}

int ctl_ask(const struct ctl_call *call, const char *format, ...)
{
	char answer[16];
	va_list args;
	bool yes;

	if (call->yes)
		return CTL_DONE;
	if (!isatty(STDIN_FILENO))
		return ctl_say(CTL_WRONG, "%s: nobody is here to be asked; say --yes",
			       call->command->name);
	va_start(args, format);
	put_plain(format, args);
	va_end(args);
	fprintf(stderr, " [y/N] ");
	yes = fgets(answer, sizeof(answer), stdin) && tolower((unsigned char)answer[0]) == 'y';
	return yes ? CTL_DONE : ctl_say(CTL_FAILED, "nothing was done");
}

int ctl_read(const char *path, struct buf *out)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char chunk[16384];
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_append(out, chunk, (size_t)n);
	if (n < 0)
		ctl_say(CTL_FAILED, "%s cannot be read: %s", path, strerror(errno));
	else if (buf_check(out))
		ctl_say(CTL_FAILED, "%s is longer than %zu bytes", path, out->cap);
	if (fd > STDIN_FILENO)
		close(fd);
	return n < 0 || buf_check(out) ? CTL_FAILED : CTL_DONE;
}

static bool is_text(struct str bytes)
{
	return utf8_valid(bytes, NULL) && !(bytes.n && memchr(bytes.p, '\0', bytes.n));
}

static int put_change(const struct ctl_call *call, char *argument, struct buf *out)
{
	char *value = strchr(argument, '=');
	struct buf text;
	int code;

	if (!value || value == argument)
		return ctl_say(CTL_WRONG, "%s: %s should be SETTING=VALUE", call->command->name,
			       argument);
	if (!is_text(str_from(argument)))
		return ctl_say(CTL_WRONG, "%s: what is not text in UTF-8 cannot be set",
			       call->command->name);
	if (out->len > 1)
		buf_putc(out, ',');
	frame_quote(out, (struct str){ argument, (size_t)(value - argument) });
	buf_putc(out, ':');
	value++;
	if (*value != '@') {
		frame_quote(out, str_from(value));
		return CTL_DONE;
	}
	buf_init(&text, VALUE_CAP);
	code = ctl_read(value + 1, &text);
	/* An editor's last line feed is not meant. */
	if (code == CTL_DONE && text.len && text.data[text.len - 1] == '\n')
		buf_truncate(&text, text.len - 1);
	if (code == CTL_DONE && !is_text(buf_view(&text)))
		code = ctl_say(CTL_WRONG, "%s is not text in UTF-8", value + 1);
	if (code == CTL_DONE)
		frame_quote(out, buf_view(&text));
	buf_wipe(&text);
	return code;
}

int ctl_changes(const struct ctl_call *call, int first, struct buf *out)
{
	int i, code;

	buf_init(out, 4 * VALUE_CAP);
	buf_putc(out, '{');
	for (i = first; i < call->count; i++) {
		code = put_change(call, call->arguments[i], out);
		if (code != CTL_DONE)
			return code;
	}
	buf_putc(out, '}');
	return buf_check(out) ? ctl_say(CTL_FAILED, "no memory") : CTL_DONE;
}
