/* The waiting line in two socket pairs.  Rests on SCM_RIGHTS: a queued descriptor stays open. */
#include "edge/line.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* What net.core.wmem_max allows where nobody changed it: room for some 500 connections. */
#define QUEUE_BYTES (200 << 10)

enum { FRONT, USUAL }; /* the lanes, in the order in which they are served */
enum { TAKE, PUT };    /* the ends of each */

struct line {
	int ends[LINE_LANES][2];
};

enum status line_new(struct line **out)
{
	struct line *line = malloc(sizeof(*line));
	int lane, bytes = QUEUE_BYTES;

	if (!line)
		return STATUS_NOMEM;
	memset(line->ends, -1, sizeof(line->ends));
	for (lane = 0; lane < LINE_LANES; lane++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			       line->ends[lane])) {
			log_error("the waiting line cannot be made: %s", strerror(errno));
			line_free(line);
			return STATUS_FAILED;
		}
		setsockopt(line->ends[lane][PUT], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	}
	*out = line;
	return STATUS_OK;
}

void line_free(struct line *line)
{
	int lane, end;

	if (!line)
		return;
	for (lane = 0; lane < LINE_LANES; lane++)
		for (end = 0; end < 2; end++)
			if (line->ends[lane][end] >= 0)
				close(line->ends[lane][end]);
	free(line);
}

int line_fd(const struct line *line, int lane)
{
	return line->ends[lane][TAKE];
}

/* Room for one descriptor, aligned as a header must be. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static enum status put(struct line *line, int lane, const struct line_entry *entry)
{
	union control control = { .room = { 0 } };
	int64_t since = entry->since;
	struct iovec bytes = { &since, sizeof(since) };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &entry->fd, sizeof(int));
	if (sendmsg(line->ends[lane][PUT], &message, MSG_NOSIGNAL) < 0)
		return STATUS_UNAVAILABLE; /* full, or too many are on their way: it passes */
	close(entry->fd);
	return STATUS_OK;
}

/* The first of a lane; `look` leaves it there, and entry->fd is -1. STATUS_CLOSED: none. */
static enum status receive(struct line *line, int lane, bool look, struct line_entry *entry)
{
	union control control = { .room = { 0 } };
	struct iovec bytes = { &entry->since, sizeof(entry->since) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	struct cmsghdr *header;

	entry->fd = -1;
	if (!look) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	if (recvmsg(line->ends[lane][TAKE], &message, look ? MSG_PEEK : MSG_CMSG_CLOEXEC) !=
	    (ssize_t)sizeof(entry->since))
		return STATUS_CLOSED;
	if (look)
		return STATUS_OK;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int))) {
		log_error("a waiting connection was lost: no descriptor is free");
		return STATUS_CLOSED;
	}
	memcpy(&entry->fd, CMSG_DATA(header), sizeof(int));
	return STATUS_OK;
}

enum status line_put(struct line *line, const struct line_entry *entry)
{
	return put(line, USUAL, entry);
}

enum status line_take(struct line *line, struct line_entry *out)
{
	struct line_entry entry;
	int lane;

	for (lane = 0; lane < LINE_LANES; lane++)
		if (receive(line, lane, false, &entry) == STATUS_OK) {
			*out = entry;
			return STATUS_OK;
		}
	return STATUS_CLOSED;
}

enum status line_take_late(struct line *line, int64_t latest, struct line_entry *out)
{
	struct line_entry entry;
	int lane;

	for (lane = 0; lane < LINE_LANES; lane++) {
		if (receive(line, lane, true, &entry))
			continue;
		if (entry.since > latest)
			return STATUS_CLOSED; /* who stands behind it waits for less long */
		if (receive(line, lane, false, &entry))
			continue;
		/*
		 * Between look and take a worker may have taken the one we saw: then this is the
		 * next one, whose time is not over. It goes where it is first.
		 */
		if (entry.since > latest && put(line, FRONT, &entry) == STATUS_OK)
			return STATUS_CLOSED;
		*out = entry;
		return STATUS_OK;
	}
	return STATUS_CLOSED;
}

int64_t line_since(struct line *line)
{
	struct line_entry entry;
	int lane;

	for (lane = 0; lane < LINE_LANES; lane++)
		if (receive(line, lane, true, &entry) == STATUS_OK)
			return entry.since;
	return CLOCK_NEVER;
}
