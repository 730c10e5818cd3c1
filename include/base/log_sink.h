/*
 * Where the lines of a log go. No reader stops us, nor one that does not read, nor a full disk: a
 * write waits for a moment once, then no more; what is not taken is counted, and the next line that
 * is taken stands behind one that says so. A daemon that was started again and a file that was moved
 * away are found with the next line. What a line says is base/log's.
 */
#ifndef BASE_LOG_SINK_H
#define BASE_LOG_SINK_H

#include <sys/types.h>

#include "base/log.h"

/* A line as it is written; below PIPE_BUF: a pipe takes it whole or not at all. */
#define LOG_LINE_BYTES 2048
/* What it says, at most: the rest is for what stands before it. */
#define LOG_TEXT_BYTES (LOG_LINE_BYTES - 128)

struct log_sink {
	const char *name; /* who speaks, for syslog */
	char *path;	  /* of the file, or of syslog's socket; NULL: standard error */
	bool syslog;
	bool socket; /* standard error is one */
	bool waits;  /* ... is somebody else's, whom a full one stops: to be asked first */
	int fd;	     /* -1: none */
	dev_t device;
	ino_t inode; /* of a file: what `fd` is */
	pid_t owner; /* who speaks, and whose lines `lost` counts */
	unsigned long lost;
	int why; /* errno of the last that was lost */
};

enum log_sink_end {
	LOG_SINK_TAKEN,
	LOG_SINK_LOST, /* nobody reads */
	LOG_SINK_AWAY, /* it is not there, or cannot be written (why) */
};

#define LOG_SINK_STDERR ((struct log_sink){ .fd = -1 })

/*
 * A file's path, or that of a datagram socket where syslog listens; NULL: standard error. Copied, but
 * for `name`. Nothing is opened before the first line. Without memory it is standard error.
 */
void log_sink_init(struct log_sink *sink, const char *name, const char *path, bool syslog);
void log_sink_clear(struct log_sink *sink);
/* One line; `text` is plain (log_plain()), without its LF, shorter than LOG_TEXT_BYTES. */
enum log_sink_end log_sink_put(struct log_sink *sink, enum log_level level, const char *text);

#endif
