/*
 * All that we ask of others over HTTP: the models' servers, and the web server when banterctl tests
 * it. One client asks any number of servers, one transfer at a time; bytes are pulled by the
 * caller, and connections are kept for the next exchange. Knows HTTP and TLS, not what the bytes
 * mean. libcurl is here and in edge/http_prepared, http_rehearsal, http_multi and http_end, and nowhere else.
 */
#ifndef EDGE_HTTP_CLIENT_H
#define EDGE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/stage.h"
#include "base/status.h"
#include "base/str.h"
#include "base/wait.h"
#include "edge/http_end.h"
#include "edge/http_prepared.h"

struct http_client;

/* Sets libcurl and its TLS up, once a process, before it forks. STATUS_FAILED. */
enum status http_client_warm(void) MUST_CHECK;

/* Connects nothing yet. STATUS_NOMEM. */
enum status http_client_new(struct http_client **out) MUST_CHECK;
void http_client_free(struct http_client *client); /* NULL is fine */

/*
 * Makes a target ready for requests of this client, and keeps copies of what it says: to be cleared
 * (http_prepared_clear()) when no transfer uses it any more. As http_prepared_init().
 */
enum status http_client_prepare(struct http_client *client, const struct http_target *target,
				struct http_prepared *prepared, const char **why) MUST_CHECK;

/* From here on requests get a connection of their own, no kept one; until it is said otherwise. */
void http_client_fresh(struct http_client *client, bool fresh);

/*
 * Starts a request: a GET where `body` is absent, else a POST of it; `prepared` and `body` are
 * borrowed until the transfer ends. All is over by `deadline`. Ends the one before.
 * STATUS_NOMEM, STATUS_FAILED (http_client_cause()).
 */
enum status http_client_start(struct http_client *client, const struct http_prepared *prepared,
			      struct str body, int64_t deadline, struct stage *stage) MUST_CHECK;

struct http_piece {
	struct str bytes; /* of the response's body, borrowed until the next call; may be empty */
	bool ended;	  /* the body ended as HTTP says it should */
};
/*
 * Waits once for more, but not beyond `wake_at`, nor when the database has something to say: then
 * STATUS_OK with no bytes. What failed is told by http_client_end() and http_client_cause().
 *   STATUS_OK
 *   STATUS_UNAVAILABLE  not reached, or cut in the middle
 *   STATUS_TIMEOUT      connecting, the first byte, the next one, or the whole took too long
 *   STATUS_NOMEM
 *   STATUS_CLOSED, STATUS_STOPPED  as wait_some()
 */
enum status http_client_next(struct http_client *client, struct wait *wait, int64_t wake_at,
			     struct http_piece *out) MUST_CHECK;
/*
 * Ends the transfer if one is under way; unless the last bytes are here, its connection is closed.
 */
void http_client_stop(struct http_client *client);

/* Of the last transfer, until the next one starts; the last three, until it is stopped: */

/* The response's HTTP status; 0 while unknown. */
int http_client_status(const struct http_client *client);
enum http_end http_client_end(const struct http_client *client);
/*
 * Why it failed: libcurl's words, without a key or any text of a body; "" if it did not, or where
 * one of our own limits ended it (HTTP_END_LATE_…).
 */
const char *http_client_cause(const struct http_client *client);
/*
 * True if it was sent on a connection that an earlier transfer had left. A server may close one at any
 * time: HTTP_END_CUT there may mean no more than that.
 */
bool http_client_reused(const struct http_client *client);
/*
 * How long the server says to wait, ms, a day at most (Retry-After, a date too; retry-after-ms); -1:
 * not said.
 */
int64_t http_client_retry_ms(struct http_client *client);
/* Appends the header lines of the response, each with CR LF behind it. */
void http_client_head(struct http_client *client, struct buf *out);
/* As http_end_certificate(). */
int64_t http_client_certificate_end(struct http_client *client);

#endif
