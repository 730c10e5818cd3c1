/*
 * One line a call to stderr or syslog.  Its level and target are the process's, set once at the
 * start.
 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES 2048
#define UNREAD_MS 100 /* how long a log that nobody reads may hold us up, once */

static enum log_level the_level = LOG_LEVEL_INFO;
static enum log_target the_target;
static const char *the_name;
static struct buf *diverted;

void log_open(const char *name, enum log_level level, enum log_target target)
{
	the_name = name;
	the_level = level;
	if (target == LOG_SYSLOG_DAEMON && the_target != LOG_SYSLOG_DAEMON)
		openlog(name, LOG_PID, LOG_DAEMON);
	the_target = target;
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

/* One write a line, so that the lines of many workers do not mix. `level` NULL: for a person. */
static void put_line(const char *level, const char *text)
{
	char line[LINE_MAX_BYTES], stamp[CLOCK_STAMP_SIZE];
	int n;

	clock_stamp(stamp);
	n = level ? snprintf(line, sizeof(line), "%s %s [%d] %s\n", stamp, level, (int)getpid(),
			     text)
		  : snprintf(line, sizeof(line), "%s: %s\n", the_name, text);
	while (write(STDERR_FILENO, line, (size_t)n) < 0 && errno == EINTR)
		;
}

/* A pipe that nobody reads must not stop a pool: what does not fit is lost, and counted. */
static bool is_read(void)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	static unsigned long lost;
	char text[LINE_MAX_BYTES - 128];

	if (poll(&out, 1, lost ? 0 : UNREAD_MS) == 0) {
		lost++;
		return false;
	}
	if (lost) {
		snprintf(text, sizeof(text),
			 "nobody read the log: %lu of this process's lines are lost", lost);
		put_line("warning", text);
		lost = 0;
	}
	return true;
}

__attribute__((format(printf, 2, 0))) static void write_line(enum log_level level,
							     const char *format, va_list args)
{
	static const struct {
		const char *name;
		int priority;
	} levels[] = {
		[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
		[LOG_LEVEL_WARN] = { "warning", LOG_WARNING },
		[LOG_LEVEL_INFO] = { "info", LOG_INFO },
		[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
	};
	char text[LINE_MAX_BYTES - 128];
	int kept = errno;

	if (level > the_level)
		return;
	vsnprintf(text, sizeof(text), format, args);
	log_plain(text);
	if (diverted) {
		buf_printf(diverted, "%s\n", text);
	} else if (the_target == LOG_SYSLOG_DAEMON) {
		syslog(levels[level].priority, "%s", text);
	} else if (the_target == LOG_PERSON) {
		put_line(NULL, text);
	} else if (is_read()) {
		put_line(levels[level].name, text);
	}
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
