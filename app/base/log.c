/*
 * One line a call to stderr or syslog.  Its level and target are the process's, set once at the
 * start.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_MAX_BYTES 2048

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

void log_plain(char *text)
{
	unsigned char *to = (unsigned char *)text, *from;

	for (from = to; *from; from++) {
		if (*from == 0xc2 && from[1] >= 0x80 && from[1] <= 0x9f) {
			from++;
			*to++ = '?';
		} else {
			*to++ = *from < 0x20 || *from == 0x7f ? '?' : *from;
		}
	}
	*to = '\0';
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
	char line[LINE_MAX_BYTES], stamp[CLOCK_STAMP_SIZE], text[LINE_MAX_BYTES - 128];
	int kept = errno, n;

	if (level > the_level)
		return;
	vsnprintf(text, sizeof(text), format, args);
	log_plain(text);
	if (diverted) {
		buf_printf(diverted, "%s\n", text);
	} else if (the_target == LOG_SYSLOG_DAEMON) {
		syslog(levels[level].priority, "%s", text);
	} else {
		clock_stamp(stamp);
		n = the_target == LOG_PERSON
			    ? snprintf(line, sizeof(line), "%s: %s\n", the_name, text)
			    : snprintf(line, sizeof(line), "%s %s [%d] %s\n", stamp,
				       levels[level].name, (int)getpid(), text);
		/* One write a line, so that the lines of many workers do not mix. */
		while (write(STDERR_FILENO, line, (size_t)n) < 0 && errno == EINTR)
			;
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
