/*
 * The waiting line: connections that the doorman has accepted and no worker has taken yet. They
 * wait in the kernel, in the queue of a socket that all workers share, each with the time since
 * when it waits. So a worker takes one without asking anybody, in the order of arrival, and they
 * outlive the doorman. Not for reading or answering them: see gateway.h.
 *
 * One lane is the line; the other holds the one that was taken out by mistake and goes first.
 */
#ifndef EDGE_LINE_H
#define EDGE_LINE_H

#include <stdint.h>

#include "base/status.h"

#define LINE_LANES 2

struct line;

struct line_entry {
	int fd;
	int64_t since; /* clock_ms() */
};

/* An empty one, to be made before fork. STATUS_FAILED (logged), STATUS_NOMEM. */
enum status line_new(struct line **out) MUST_CHECK;
void line_free(struct line *line); /* NULL is fine; connections in it are cut by the last one */

/* Puts one at the end; its descriptor is ours then. STATUS_UNAVAILABLE: there is no room now. */
enum status line_put(struct line *line, const struct line_entry *entry) MUST_CHECK;
/* Takes the one that waits longest; its descriptor is the caller's. STATUS_CLOSED: nobody waits. */
enum status line_take(struct line *line, struct line_entry *out) MUST_CHECK;
/*
 * As line_take(), if it waits since `latest` or longer; STATUS_CLOSED: nobody does. Others may take
 * at the same time; calls of this function must not overlap, or the order may suffer.
 */
enum status line_take_late(struct line *line, int64_t latest, struct line_entry *out) MUST_CHECK;
/* Since when the first one waits; CLOCK_NEVER: nobody does. */
int64_t line_since(struct line *line);
/* The descriptor that is readable while somebody waits in that lane; for the gateway's epoll. */
int line_fd(const struct line *line, int lane);

#endif
