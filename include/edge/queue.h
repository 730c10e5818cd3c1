/*
 * The queue: connections that the admission process has accepted and no worker has taken yet. They
 * wait in the kernel, in the queue of a socket that all workers share, each with the time since
 * when it waits. So a worker takes one without asking anybody, in the order of arrival, and they
 * outlive the admission process. Not for reading or answering them: see gateway.h.
 *
 * One lane is the queue; the other holds the one that was taken out by mistake and goes first.
 */
#ifndef EDGE_QUEUE_H
#define EDGE_QUEUE_H

#include <stdint.h>

#include "base/status.h"

#define QUEUE_LANES 2
#define QUEUE_ENDS (2 * QUEUE_LANES) /* its descriptors */

struct queue;

struct queue_entry {
	int fd;
	int64_t since; /* clock_ms() */
};

/* An empty one, to be made before fork. STATUS_FAILED (logged), STATUS_NOMEM. */
enum status queue_new(struct queue **out) MUST_CHECK;
/* The queue of a process that handed over these descriptors; they are ours then. STATUS_NOMEM. */
enum status queue_adopt(const int ends[QUEUE_ENDS], struct queue **out) MUST_CHECK;
/* Its descriptors, to hand over. */
void queue_ends(const struct queue *queue, int out[QUEUE_ENDS]);
/* Closes both ends here; the others who have the queue keep it. May be called within a handler. */
void queue_close(struct queue *queue);
void queue_free(struct queue *queue); /* NULL is fine; connections in it are cut by the last one */

/* Puts one at the end; its descriptor is ours then. STATUS_UNAVAILABLE: there is no room now. */
enum status queue_put(struct queue *queue, const struct queue_entry *entry) MUST_CHECK;
/*
 * Takes the one that waits longest; its descriptor is the caller's. STATUS_CLOSED: nobody waits;
 * STATUS_NOMEM: we can have no more descriptors, and it is cut (logged).
 */
enum status queue_take(struct queue *queue, struct queue_entry *out) MUST_CHECK;
/*
 * As queue_take(), if it waits since `latest` or longer; STATUS_CLOSED: nobody does. Others may take
 * at the same time; calls of this function must not overlap, or the order may suffer.
 */
enum status queue_take_late(struct queue *queue, int64_t latest,
			    struct queue_entry *out) MUST_CHECK;
/* Since when the first one waits; 0: that is not to be known now; CLOCK_NEVER: nobody does. */
int64_t queue_since(struct queue *queue);
/* How many wait there. */
unsigned queue_count(const struct queue *queue);
/* The descriptor that is readable while somebody waits in that lane; for the gateway's epoll. */
int queue_fd(const struct queue *queue, int lane);

#endif
