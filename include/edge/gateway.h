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

struct gateway;

/*
 * Binds and listens. `address` is unix:PATH or HOST:PORT; `mode` is the unix socket's file mode.
 * A socket file that nobody answers on is replaced; one that answers is not.
 * STATUS_FAILED: logged, with what to do.
 */
enum status gateway_listen(const char *address, unsigned mode, int backlog, int *fd) MUST_CHECK;

/*
 * A worker's gateway on a listening socket, which stays the caller's. `keep`: connections the web
 * server wants kept are kept (only where it owns the workers: a kept connection pins its worker).
 * STATUS_NOMEM, STATUS_FAILED (logged).
 */
enum status gateway_new(int listen_fd, bool keep, int64_t read_ms, int64_t write_ms,
			struct gateway **out) MUST_CHECK;
void gateway_free(struct gateway *gateway); /* NULL is fine */

/*
 * Takes the next request, its parameters read. The wait watches its client from here on.
 *   STATUS_OK
 *   STATUS_CLOSED   the connection brought no whole request; accept again
 *   STATUS_STOPPED  told to stop while idle
 *   STATUS_FAILED   the socket cannot be used (logged)
 */
enum status gateway_accept(struct gateway *gateway, struct wait *wait) MUST_CHECK;
/* A parameter, such as "REQUEST_URI", borrowed until gateway_finish(); absent if not sent. */
struct str gateway_param(const struct gateway *gateway, const char *name);
/*
 * Reads the body to its end into `out`.
 *   STATUS_OK
 *   STATUS_NOMEM    longer than the buffer's cap; the rest was read and dropped, within bounds
 *   STATUS_INVALID  fewer bytes than CONTENT_LENGTH announced, or the connection failed
 */
enum status gateway_read(struct gateway *gateway, struct buf *out) MUST_CHECK;
/*
 * Writes and flushes: the bytes are the kernel's when it returns. STATUS_CLOSED: the client is
 * gone, or blocked for too long.
 */
enum status gateway_write(struct gateway *gateway, struct str bytes) MUST_CHECK;
/* Ends the request; the connection is closed unless it is kept. */
void gateway_finish(struct gateway *gateway, struct wait *wait);

#endif
