/* What libcurl wants to wait for, in our own ppoll. */
#include "edge/http_multi.h"

#include <curl/curl.h>

#include "base/clock.h"
#include "base/hot.h"

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
	struct http_multi *multi = context;
	int i, place = -1;

	(void)easy;
	(void)unused;
	for (i = 0; i < WAIT_MODEL_FDS; i++) {
		if (multi->fds[i].fd == fd) {
			place = i;
			break;
		}
		if (multi->fds[i].fd < 0 && place < 0)
			place = i;
	}
	if (place < 0)
		return 0; /* its timer still drives it */
	multi->fds[place].fd = what == CURL_POLL_REMOVE ? -1 : fd;
	multi->fds[place].events =
		(short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

static int on_timer(CURLM *handle, long ms, void *context)
{
	struct http_multi *multi = context;

	(void)handle;
	multi->timer_at = ms < 0 ? CLOCK_NEVER : clock_ms() + ms;
	return 0;
}

enum status http_multi_init(struct http_multi *multi)
{
	int i;

	*multi = (struct http_multi){ .handle = curl_multi_init(), .timer_at = CLOCK_NEVER };
	if (!multi->handle)
		return STATUS_NOMEM;
	for (i = 0; i < WAIT_MODEL_FDS; i++)
		multi->fds[i].fd = -1;
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERDATA, multi);
	return STATUS_OK;
}

void http_multi_clear(struct http_multi *multi)
{
	curl_multi_cleanup(multi->handle);
	multi->handle = NULL;
}

HOT void http_multi_watch(const struct http_multi *multi, struct wait *wait)
{
	int i;

	for (i = 0; i < WAIT_MODEL_FDS; i++)
		wait_watch(wait, WAIT_MODEL + i, multi->fds[i].fd, multi->fds[i].events);
}

HOT void http_multi_unwatch(struct wait *wait)
{
	int i;

	for (i = 0; i < WAIT_MODEL_FDS; i++)
		wait_watch(wait, WAIT_MODEL + i, -1, 0);
}

/*
 * curl_multi_perform() tells of no socket, and looks none up: a quarter of libcurl's code for a token
 * is left out, at the price of a poll of its own.
 */
static HOT CURLMcode drive_socket(struct http_multi *multi, const struct pollfd *seen, bool settled,
				  int *left)
{
	int bits = seen->revents;

	if (settled && seen->events == POLLIN)
		return curl_multi_perform(multi->handle, left);
	return curl_multi_socket_action(multi->handle, seen->fd,
					(bits & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
						(bits & POLLOUT ? CURL_CSELECT_OUT : 0) |
						(bits & POLLERR ? CURL_CSELECT_ERR : 0),
					left);
}

HOT int http_multi_drive(struct http_multi *multi, const struct wait *wait, bool settled,
			 bool *running)
{
	const struct pollfd *seen = &wait->fds[WAIT_MODEL];
	CURLMcode code = CURLM_OK;
	int i, left = 1;

	for (i = 0; i < WAIT_MODEL_FDS && !code; i++)
		if (seen[i].fd >= 0 && seen[i].revents)
			code = drive_socket(multi, &seen[i], settled, &left);
	if (!code && wait->now >= multi->timer_at) {
		multi->timer_at = CLOCK_NEVER;
		code = curl_multi_socket_action(multi->handle, CURL_SOCKET_TIMEOUT, 0, &left);
	}
	*running = left > 0;
	return (int)code;
}
