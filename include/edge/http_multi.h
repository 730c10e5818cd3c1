/*
 * libcurl's multi interface over base/wait: its sockets stand in the wait's slots for the model,
 * its timer bounds the wait. For edge/http_client.
 */
#ifndef EDGE_HTTP_MULTI_H
#define EDGE_HTTP_MULTI_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/wait.h"
#include "edge/wait_slots.h"

/* Not to be moved: libcurl knows where it is. */
struct http_multi {
	void *handle; /* libcurl's, which has the connections */
	struct pollfd fds[WAIT_MODEL_FDS];
	int64_t timer_at; /* when it wants to be driven without a socket */
};

/* STATUS_NOMEM. */
enum status http_multi_init(struct http_multi *multi) MUST_CHECK;
void http_multi_clear(struct http_multi *multi); /* a zeroed one is fine */

/* Has the next waits watch its sockets. */
void http_multi_watch(const struct http_multi *multi, struct wait *wait);
/* ... and no more: whoever waits then may not be us. */
void http_multi_unwatch(struct wait *wait);
/*
 * Hands libcurl what the last wait saw. The result is libcurl's (CURLMcode). `settled`: an answer
 * comes, and a socket that is only read from stays so until its end, as it does in HTTP/1.
 * `running`: no transfer has ended.
 */
int http_multi_drive(struct http_multi *multi, const struct wait *wait, bool settled,
		     bool *running);

#endif
