/*
 * One line a call.  Its level and place are the process's, set at the start and by a reload; how a
 * line gets there is log_sink.c's.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log_sink.h"
#include "base/utf8.h"

#define SYSLOG "/dev/log"

static enum log_level the_level = LOG_LEVEL_INFO;
static struct log_sink the_sink = LOG_SINK_STDERR;
static bool to_person;
static const char *the_name;
static struct buf *diverted;

void log_open(const char *name, enum log_level level, enum log_target target)
{
	the_name = name;
	the_level = level;
	to_person = target == LOG_PERSON;
	log_sink_clear(&the_sink);
}

void log_open_at(const char *name, enum log_level level, const char *where)
{
	bool syslog = strcmp(where, "syslog") == 0;
	const char *path = syslog ? SYSLOG : *where == '/' ? where : NULL;

	if (the_name && path && the_sink.path && strcmp(path, the_sink.path) == 0) {
		the_level = level; /* and what it has lost is not forgotten */
		return;
	}
	log_open(name, level, LOG_STDERR);
	log_sink_init(&the_sink, name, path, syslog);
}

void log_divert(struct buf *to)
{
	diverted = to;
}

bool log_steers(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character <= 0x9f) ||
	       character == 0x061c || character == 0x200e || character == 0x200f ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069);
}

void log_plain(char *text)
{
	struct str rest = str_from(text);
	uint32_t character;
	char *to = text;
	size_t n;

	while (rest.n) {
		n = utf8_character(rest, &character);
		if (n && !log_steers(character)) {
			memmove(to, rest.p, n);
			to += n;
		} else {
			*to++ = '?';
		}
		rest = str_skip(rest, n ? n : 1);
	}
	*to = '\0';
}

/* As a program speaks to the person who called it. */
static void tell_person(const char *text)
{
	char line[LOG_LINE_BYTES];
	int n = snprintf(line, sizeof(line), "%s: %s\n", the_name, text);

	while (write(STDERR_FILENO, line, (size_t)n) < 0 && errno == EINTR)
		;
}

/* Standard error takes what the log's own place cannot, and says so once. */
static void put_line(enum log_level level, const char *text)
{
	static struct log_sink standard_error = LOG_SINK_STDERR;
	char why[LOG_TEXT_BYTES];

	if (log_sink_put(&the_sink, level, text) != LOG_SINK_AWAY || !the_sink.path)
		return;
	if (the_sink.lost == 1) {
		snprintf(why, sizeof(why), "the log's lines go to standard error: %s: %s",
			 the_sink.path, strerror(the_sink.why));
		log_sink_put(&standard_error, LOG_LEVEL_ERROR, why);
	}
	log_sink_put(&standard_error, level, text);
}

__attribute__((format(printf, 2, 0))) static void write_line(enum log_level level,
							     const char *format, va_list args)
{
	char text[LOG_TEXT_BYTES];
	int kept = errno;

	if (level > the_level)
		return;
	vsnprintf(text, sizeof(text), format, args);
	log_plain(text);
	if (diverted)
		buf_printf(diverted, "%s\n", text);
	else if (to_person)
		tell_person(text);
	else
		put_line(level, text);
	errno = kept;
}

#define DEFINE_VERB(verb, level)                                                                   \
	void verb(const char *format, ...)                                                         \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, format);                                                            \
		write_line(level, format, args);                                                   \
		va_end(args);                                                                      \
	}

DEFINE_VERB(log_error, LOG_LEVEL_ERROR)
DEFINE_VERB(log_warn, LOG_LEVEL_WARN)
DEFINE_VERB(log_info, LOG_LEVEL_INFO)
DEFINE_VERB(log_debug, LOG_LEVEL_DEBUG)
