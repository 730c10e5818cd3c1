/*
 * Lines to standard error, to a file or to syslog, without waiting. Rests on descriptors of our own
 * where the one we were given is shared with others, whose manners are not ours to change.
 */
#include "base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define UNREAD_MS 100 /* how long a log that nobody reads may hold us up, once */
#define FILE_MODE 0640

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARN] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

void log_sink_init(struct log_sink *sink, const char *name, const char *path, bool syslog)
{
	*sink = LOG_SINK_STDERR;
	sink->name = name;
	sink->path = path ? strdup(path) : NULL;
	sink->syslog = syslog && sink->path;
}

static void close_own(struct log_sink *sink)
{
	if (sink->fd >= 0 && sink->fd != STDERR_FILENO)
		close(sink->fd);
	sink->fd = -1;
}

void log_sink_clear(struct log_sink *sink)
{
	close_own(sink);
	free(sink->path);
	*sink = LOG_SINK_STDERR;
}

static bool is_own(const struct log_sink *sink, const struct stat *st)
{
	return sink->fd >= 0 && sink->device == st->st_dev && sink->inode == st->st_ino;
}

static void take_own(struct log_sink *sink, int fd, const struct stat *st)
{
	close_own(sink);
	sink->fd = fd;
	sink->device = st->st_dev;
	sink->inode = st->st_ino;
}

/*
 * Of a pipe and of a terminal we open an end of our own that does not wait: between poll() and write()
 * another process may fill it. Where that is forbidden, poll() has to do. Looked at once: it is what we
 * were started with.
 */
static int standard_error(struct log_sink *sink)
{
	struct stat st;

	if (sink->fd >= 0)
		return sink->fd;
	if (fstat(STDERR_FILENO, &st))
		return STDERR_FILENO;
	sink->socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		sink->fd = open("/proc/self/fd/2",
				O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		sink->waits = sink->fd < 0;
	}
	if (sink->fd < 0)
		sink->fd = STDERR_FILENO;
	return sink->fd;
}

/* The file of that name as it is now; one that was only moved is better than none. -1: errno. */
static int file(struct log_sink *sink)
{
	struct stat st;
	int fd;

	if (stat(sink->path, &st) == 0 && is_own(sink, &st))
		return sink->fd;
	fd = open(sink->path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		  FILE_MODE);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		take_own(sink, fd, &st);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	else if (sink->fd >= 0 && fstat(sink->fd, &st) == 0 && st.st_nlink)
		return sink->fd;
	return -1;
}

static ssize_t write_some(const struct log_sink *sink, int fd, const char *bytes, size_t n)
{
	ssize_t done;

	do
		done = sink->socket ? send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL)
				    : write(fd, bytes, n);
	while (done < 0 && errno == EINTR);
	return done;
}

/* A whole line, or its errno. */
static int to_stream(const struct log_sink *sink, int fd, const char *line, size_t n)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };
	bool ask = sink->waits || sink->lost;
	ssize_t done = -1;

	if (fd < 0)
		return errno;
	if (!ask)
		done = write_some(sink, fd, line, n);
	if (ask || (done < 0 && errno == EAGAIN)) {
		if (poll(&out, 1, sink->lost ? 0 : UNREAD_MS) == 0)
			return EAGAIN;
		done = write_some(sink, fd, line, n);
	}
	/* The rest, or why there is none: the disk is full. */
	if (done >= 0 && (size_t)done < n)
		done = write_some(sink, fd, line + done, n - (size_t)done) < 0 ? -1 : 0;
	return done < 0 ? errno : 0;
}

/*
 * Without a connection: whoever listens there by now gets it. It waits in the kernel, since poll()
 * tells nothing of a socket that is not connected.
 */
static int to_syslog(struct log_sink *sink, const char *line, size_t n)
{
	struct timeval patience = { .tv_usec = UNREAD_MS * 1000 };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int flags = MSG_NOSIGNAL | (sink->lost ? MSG_DONTWAIT : 0);
	ssize_t done;

	if (sink->fd < 0) {
		sink->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (sink->fd < 0)
			return errno;
		setsockopt(sink->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	}
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", sink->path);
	do
		done = sendto(sink->fd, line, n, flags, (struct sockaddr *)&at, sizeof(at));
	while (done < 0 && errno == EINTR);
	return done < 0 ? errno : 0;
}

/* As libc's syslog(3) has it: RFC 3164 without the host's name. */
static int form_syslog(const struct log_sink *sink, enum log_level level, const char *text,
		       char *line)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	return snprintf(line, LOG_LINE_BYTES, "<%d>%s %s[%d]: %s",
			LOG_DAEMON | levels[level].priority, stamp, sink->name, (int)sink->owner,
			text);
}

/* What was written before the disk was full may be half a line, of any process: ours begins anew. */
static int form_line(const struct log_sink *sink, enum log_level level, const char *text,
		     char *line)
{
	bool anew = sink->lost && sink->why != EAGAIN;
	char stamp[CLOCK_STAMP_SIZE];

	clock_stamp(stamp);
	return snprintf(line, LOG_LINE_BYTES, "%s%s %s [%d] %s\n", anew ? "\n" : "", stamp,
			levels[level].name, (int)sink->owner, text);
}

/* One write a line, so that the lines of many workers do not mix. */
static int hand_on(struct log_sink *sink, enum log_level level, const char *text)
{
	char line[LOG_LINE_BYTES];
	int n;

	if (sink->syslog) {
		n = form_syslog(sink, level, text, line);
		return to_syslog(sink, line, (size_t)n);
	}
	n = form_line(sink, level, text, line);
	return to_stream(sink, sink->path ? file(sink) : standard_error(sink), line, (size_t)n);
}

static int say_lost(struct log_sink *sink)
{
	char text[256];
	int failed;

	if (sink->why == EAGAIN)
		snprintf(text, sizeof(text),
			 "nobody read the log: %lu of this process's lines are lost", sink->lost);
	else
		snprintf(text, sizeof(text),
			 "the log could not be written (%s): %lu of this process's lines are "
			 "missing here",
			 strerror(sink->why), sink->lost);
	failed = hand_on(sink, LOG_LEVEL_WARN, text);
	if (!failed)
		sink->lost = 0;
	return failed;
}

enum log_sink_end log_sink_put(struct log_sink *sink, enum log_level level, const char *text)
{
	pid_t self = getpid();
	int failed = 0;

	if (sink->owner != self) { /* what the master lost is the master's to say */
		sink->owner = self;
		sink->lost = 0;
	}
	if (sink->lost)
		failed = say_lost(sink);
	if (!failed)
		failed = hand_on(sink, level, text);
	if (!failed)
		return LOG_SINK_TAKEN;
	sink->lost++;
	sink->why = failed == EWOULDBLOCK || failed == ENOBUFS ? EAGAIN : failed;
	return sink->why == EAGAIN ? LOG_SINK_LOST : LOG_SINK_AWAY;
}
