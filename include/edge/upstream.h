/*
 * The model's server: all of libcurl.  One transfer at a time, bytes pulled by the caller, the
 * connection kept for the next exchange.  Knows HTTP and TLS, not what the bytes mean (chat/model).
 */
#ifndef EDGE_UPSTREAM_H
#define EDGE_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "base/wait.h"

struct upstream;

struct upstream_target {
	const char *url; /* of the whole resource */
	const char *key; /* "": no Authorization header */
	/*
	 * More headers, "Name: value" each, LF between; "": none. Authorization or api-key among
	 * them takes the key's place.
	 */
	const char *headers;
	const char *ca; /* a file of CA certificates; "": the system's */
	int64_t connect_ms, first_ms, idle_ms;
};

/* Sets libcurl and its TLS up, once a process, before it forks. STATUS_FAILED. */
enum status upstream_warm(void) MUST_CHECK;

/* Keeps copies; connects nothing yet. STATUS_NOMEM, STATUS_FAILED (logged). */
enum status upstream_new(const struct upstream_target *target, struct upstream **out) MUST_CHECK;
void upstream_free(struct upstream *upstream); /* NULL is fine */

/*
 * Starts to POST `body` (borrowed until the transfer ends) as JSON; all is over by `deadline`.
 * STATUS_NOMEM, STATUS_FAILED (cause: upstream_cause()).
 */
enum status upstream_post(struct upstream *upstream, struct str body, int64_t deadline,
			  struct stage *stage) MUST_CHECK;

struct upstream_piece {
	struct str bytes; /* of the response's body, borrowed until the next call; may be empty */
	bool ended;	  /* the body ended as HTTP says it should */
};
/*
 * Waits once for more, but not beyond `wake_at`, nor when the database has something to say: then
 * STATUS_OK with no bytes.
 *   STATUS_OK
 *   STATUS_UNAVAILABLE  not reached, or cut in the middle      (cause: upstream_cause())
 *   STATUS_TIMEOUT      connecting, the first byte, the next one, or the whole took too long (cause
 *                       too)
 *   STATUS_NOMEM
 *   STATUS_CLOSED, STATUS_STOPPED  as wait_some()
 */
enum status upstream_next(struct upstream *upstream, struct wait *wait, int64_t wake_at,
			  struct upstream_piece *out) MUST_CHECK;
/* The response's HTTP status; 0 while unknown. */
int upstream_http_status(const struct upstream *upstream);
/*
 * Why the last transfer failed: a constant or libcurl's words, without the key or any text of a
 * message; "" if it did not.
 */
const char *upstream_cause(const struct upstream *upstream);
/*
 * Ends the transfer if one is under way; unless the last bytes are here, its connection is closed.
 */
void upstream_stop(struct upstream *upstream);

#endif
