/*
 * The web server's side: all of libfcgi.  It listens, accepts, lends the request's parameters
 * and body, and writes the reply.  Every wait on the connection is bounded.
 */
#ifndef EDGE_GATEWAY_H
#define EDGE_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "base/wait.h"
#include "edge/queue.h"

struct gateway;

/*
 * A worker's gateway on a listening socket, which stays the caller's. `keep`: connections the web
 * server wants kept are kept (only where it owns the workers: a kept connection pins its worker).
 * `read_ms` 0: nothing waits on a connection, ever; what has arrived is the request, and the reply
 * must fit into the kernel's buffer.
 * STATUS_NOMEM, STATUS_FAILED (logged).
 */
enum status gateway_new(int listen_fd, bool keep, int64_t read_ms, int64_t write_ms,
			struct gateway **out) MUST_CHECK;
/*
 * From here on gateway_accept() takes those in `queue` first. Once `closing` says that all who watch
 * it end, nobody is put there any more. Both stay the caller's.
 */
enum status gateway_join(struct gateway *gateway, struct queue *queue,
			 const _Atomic bool *closing) MUST_CHECK;
/*
 * From here on a connection on which nothing comes for a moment is put into `silent`, the caller's,
 * for whoever holds such (edge/silent.h): it would keep us from all others for `read_ms`. For one
 * that has joined a queue; NULL: none.
 */
void gateway_shun(struct gateway *gateway, struct queue *silent);
void gateway_free(struct gateway *gateway); /* NULL is fine */
/*
 * Accepts nothing more: it does not touch the listening socket again, which its owner may close now,
 * nor the queue, unless all end (`closing`): then it serves those who are in it yet. May be called
 * within a signal's handler (wait.stopping).
 */
void gateway_leave(struct gateway *gateway);

/*
 * Takes the next request, its parameters read. The wait watches its client from here on.
 *   STATUS_OK
 *   STATUS_CLOSED   the connection brought no whole request; accept again
 *   STATUS_STOPPED  told to stop while idle
 *   STATUS_NOMEM    we can have no more descriptors (logged)
 *   STATUS_FAILED   the socket cannot be used (logged)
 */
enum status gateway_accept(struct gateway *gateway, struct wait *wait) MUST_CHECK;
/* clock_ms(): since when its client waits, as far as can be known: not in the kernel's backlog. */
int64_t gateway_since(const struct gateway *gateway);
/* Milliseconds that its connection stood in the queue, at least 1; 0: it came to us at once. */
int64_t gateway_waited(const struct gateway *gateway);
/* A parameter, such as "REQUEST_URI", borrowed until gateway_finish(); absent if not sent. */
struct str gateway_param(const struct gateway *gateway, const char *name);
/*
 * As gateway_param(), and absent if it was sent more than once: of a client's header and a proxy's,
 * passed on as two, or spelled alike (`X_Forwarded_For`), nobody can tell which is the proxy's.
 */
struct str gateway_only_param(const struct gateway *gateway, const char *name);
/*
 * Reads the body to its end into `out`.
 *   STATUS_OK
 *   STATUS_NOMEM    there was no memory for it; it was read and dropped, within bounds
 *   STATUS_INVALID  longer than the buffer's cap (the same became of it), fewer bytes than
 *                   CONTENT_LENGTH announced, or the connection failed
 *   STATUS_STOPPED  the drain's time is over
 */
enum status gateway_read(struct gateway *gateway, struct buf *out) MUST_CHECK;
/*
 * Writes and flushes: the bytes are the kernel's when it returns. STATUS_CLOSED: the client is
 * gone, or blocked for too long; STATUS_STOPPED: it did when the drain's time was over.
 */
enum status gateway_write(struct gateway *gateway, struct str bytes) MUST_CHECK;
/* As gateway_write(), of a reply's last bytes: the web server hears of the request's end with them. */
enum status gateway_end(struct gateway *gateway, struct str bytes) MUST_CHECK;
/* Ends the request, if it has not ended; the connection is closed unless it is kept. */
void gateway_finish(struct gateway *gateway, struct wait *wait);
/*
 * The same; where not all of the body had come, the connection is not closed but returned, the
 * caller's then, for edge/lingering. Else -1.
 */
int gateway_finish_early(struct gateway *gateway, struct wait *wait);

/*
 * For one who takes connections without reading them, and reads some of them later.
 *
 * gateway_watch: waits for a connection. As wait_epoll().
 * gateway_admit: from here on that is STATUS_CLOSED when nothing is there but one in `silent`.
 * gateway_heed: from here on it is also STATUS_OK when that bell (base/bell.h) was rung.
 * gateway_take: takes one; its descriptor is the caller's. STATUS_CLOSED: none is there (any more),
 * STATUS_NOMEM, STATUS_FAILED as gateway_accept().
 * gateway_open: as gateway_accept(), with a connection that was taken; the descriptor is ours then.
 * gateway_stand_back: of all that wait for a connection, the kernel wakes the one that came first;
 * puts us last.
 */
enum status gateway_watch(struct gateway *gateway, struct wait *wait, int64_t deadline) MUST_CHECK;
enum status gateway_admit(struct gateway *gateway, struct queue *silent) MUST_CHECK;
enum status gateway_heed(struct gateway *gateway, int bell) MUST_CHECK;
enum status gateway_take(struct gateway *gateway, int *fd) MUST_CHECK;
enum status gateway_open(struct gateway *gateway, struct wait *wait, int fd) MUST_CHECK;
enum status gateway_stand_back(struct gateway *gateway) MUST_CHECK;

#endif
