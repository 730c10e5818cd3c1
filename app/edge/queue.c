/* The queue in two socket pairs.  Rests on SCM_RIGHTS: a queued descriptor stays open. */
#include "edge/queue.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* What net.core.wmem_max allows where nobody changed it: room for some 500 connections. */
#define QUEUE_BYTES (200 << 10)

enum { FRONT, USUAL }; /* the lanes, in the order in which they are served */
enum { TAKE, PUT };    /* the ends of each */

struct queue {
	int ends[QUEUE_LANES][2];
};

enum status queue_new(struct queue **out)
{
	struct queue *queue = malloc(sizeof(*queue));
	int lane, bytes = QUEUE_BYTES;

	if (!queue)
		return STATUS_NOMEM;
	memset(queue->ends, -1, sizeof(queue->ends));
	for (lane = 0; lane < QUEUE_LANES; lane++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			       queue->ends[lane])) {
			log_error("the queue cannot be made: %s", strerror(errno));
			queue_free(queue);
			return STATUS_FAILED;
		}
		setsockopt(queue->ends[lane][PUT], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	}
	*out = queue;
	return STATUS_OK;
}

enum status queue_adopt(const int ends[QUEUE_ENDS], struct queue **out)
{
	struct queue *queue = malloc(sizeof(*queue));

	if (!queue)
		return STATUS_NOMEM;
	memcpy(queue->ends, ends, sizeof(queue->ends));
	*out = queue;
	return STATUS_OK;
}

void queue_ends(const struct queue *queue, int out[QUEUE_ENDS])
{
	memcpy(out, queue->ends, sizeof(queue->ends));
}

void queue_close(struct queue *queue)
{
	int lane, end;

	for (lane = 0; lane < QUEUE_LANES; lane++) {
		for (end = 0; end < 2; end++) {
			if (queue->ends[lane][end] >= 0)
				close(queue->ends[lane][end]);
			queue->ends[lane][end] = -1;
		}
	}
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	queue_close(queue);
	free(queue);
}

/* Each is a message of one length; the kernel says how many bytes lie there (unix(7)). */
unsigned queue_count(const struct queue *queue)
{
	int lane, bytes = 0, all = 0;

	for (lane = 0; lane < QUEUE_LANES; lane++)
		if (ioctl(queue->ends[lane][TAKE], SIOCINQ, &bytes) == 0)
			all += bytes;
	return (unsigned)all / (unsigned)sizeof(int64_t);
}

int queue_fd(const struct queue *queue, int lane)
{
	return queue->ends[lane][TAKE];
}

/* Room for one descriptor, aligned as a header must be. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static enum status put(struct queue *queue, int lane, const struct queue_entry *entry)
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
	if (sendmsg(queue->ends[lane][PUT], &message, MSG_NOSIGNAL) < 0)
		return STATUS_UNAVAILABLE; /* full, or too many are on their way: it passes */
	close(entry->fd);
	return STATUS_OK;
}

/*
 * The first of a lane; `look` leaves it there, and entry->fd is -1. As queue_take(), but for
 * STATUS_UNAVAILABLE: the kernel does not say now whether there is one.
 */
static enum status receive(struct queue *queue, int lane, bool look, struct queue_entry *entry)
{
	union control control = { .room = { 0 } };
	struct iovec bytes = { &entry->since, sizeof(entry->since) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	struct cmsghdr *header;
	ssize_t n;

	entry->fd = -1;
	if (!look) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	n = recvmsg(queue->ends[lane][TAKE], &message, look ? MSG_PEEK : MSG_CMSG_CLOEXEC);
	if (n != (ssize_t)sizeof(entry->since))
		return n < 0 && errno != EAGAIN ? STATUS_UNAVAILABLE : STATUS_CLOSED;
	if (look)
		return STATUS_OK;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int))) {
		log_error("a waiting connection was lost: no descriptor is free");
		return STATUS_NOMEM;
	}
	memcpy(&entry->fd, CMSG_DATA(header), sizeof(int));
	return STATUS_OK;
}

enum status queue_put(struct queue *queue, const struct queue_entry *entry)
{
	return put(queue, USUAL, entry);
}

enum status queue_take(struct queue *queue, struct queue_entry *out)
{
	enum status status = STATUS_CLOSED;
	struct queue_entry entry;
	int lane;

	for (lane = 0; lane < QUEUE_LANES && status == STATUS_CLOSED; lane++)
		status = receive(queue, lane, false, &entry);
	if (status == STATUS_OK)
		*out = entry;
	return status == STATUS_UNAVAILABLE ? STATUS_CLOSED : status;
}

enum status queue_take_late(struct queue *queue, int64_t latest, struct queue_entry *out)
{
	struct queue_entry entry;
	enum status status;
	int lane;

	for (lane = 0; lane < QUEUE_LANES; lane++) {
		if (receive(queue, lane, true, &entry))
			continue;
		if (entry.since > latest)
			return STATUS_CLOSED; /* who stands behind it waits for less long */
		status = receive(queue, lane, false, &entry);
		if (status == STATUS_CLOSED || status == STATUS_UNAVAILABLE)
			continue;
		if (status)
			return status;
		/*
		 * Between look and take a worker may have taken the one we saw: then this is the
		 * next one, whose time is not over. It goes where it is first.
		 */
		if (entry.since > latest && put(queue, FRONT, &entry) == STATUS_OK)
			return STATUS_CLOSED;
		*out = entry;
		return STATUS_OK;
	}
	return STATUS_CLOSED;
}

int64_t queue_since(struct queue *queue)
{
	struct queue_entry entry;
	enum status status;
	int lane;

	for (lane = 0; lane < QUEUE_LANES; lane++) {
		status = receive(queue, lane, true, &entry);
		if (status != STATUS_CLOSED)
			return status ? 0 : entry.since;
	}
	return CLOCK_NEVER;
}
