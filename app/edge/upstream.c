/*
 * All of libcurl: the multi interface under our own ppoll, since curl_easy_perform() notices
 * neither a client that left nor a signal while a model is silent.
 */
#include "edge/upstream.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "edge/wait_slots.h"

/* What may come in one turn of libcurl; it hands over at most a few socket reads at once. */
#define PIECE_CAP (4 << 20)
/* How long libcurl keeps a parsed CA store, seconds: parsing it costs far more than a handshake. */
#define CA_CACHE_S 86400L
#define HEADER_CAP 8192 /* a setting is shorter */

struct upstream {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	struct pollfd fds[WAIT_MODEL_FDS];
	int64_t timer_at; /* libcurl's own */
	struct buf piece;
	bool running;
	int64_t first_ms, idle_ms;
	int64_t quiet_at; /* when the silence has lasted too long */
	int64_t deadline;
	const char *quiet_cause;
	struct stage *stage;
	char cause[CURL_ERROR_SIZE];
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
	struct upstream *upstream = context;
	int i, place = -1;

	(void)easy;
	(void)unused;
	for (i = 0; i < WAIT_MODEL_FDS; i++) {
		if (upstream->fds[i].fd == fd) {
			place = i;
			break;
		}
		if (upstream->fds[i].fd < 0 && place < 0)
			place = i;
	}
	if (place < 0)
		return 0; /* its timer still drives it */
	upstream->fds[place].fd = what == CURL_POLL_REMOVE ? -1 : fd;
	upstream->fds[place].events =
		(short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *context)
{
	struct upstream *upstream = context;

	(void)multi;
	upstream->timer_at = ms < 0 ? CLOCK_NEVER : clock_ms() + ms;
	return 0;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct upstream *upstream = context;

	buf_append(&upstream->piece, bytes, size * count);
	return buf_check(&upstream->piece) == STATUS_OK ? size * count : 0;
}

/* The first header line is the first sign of life; from here on every byte moves the limit. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct upstream *upstream = context;

	(void)bytes;
	upstream->quiet_at = clock_ms() + upstream->idle_ms;
	upstream->quiet_cause = "the model fell silent";
	return size * count;
}

static int on_request(void *context, char *ip, char *local_ip, int port, int local_port)
{
	struct upstream *upstream = context;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	stage_set(upstream->stage, STAGE_FIRST);
	upstream->quiet_at = clock_ms() + upstream->first_ms;
	upstream->quiet_cause = "the model did not begin to answer in time";
	return CURL_PREREQFUNC_OK;
}

static enum status add_header(struct upstream *upstream, const char *line)
{
	struct curl_slist *longer = curl_slist_append(upstream->headers, line);

	if (!longer)
		return STATUS_NOMEM;
	upstream->headers = longer;
	return STATUS_OK;
}

static bool is_header(struct str line, const char *name)
{
	size_t n = strlen(name);

	return line.n > n && line.p[n] == ':' &&
	       str_same((struct str){ line.p, n }, str_from(name));
}

/* The operator's own; *keyed: one of them says who we are. */
static enum status add_headers(struct upstream *upstream, struct str lines, bool *keyed)
{
	enum status status = STATUS_OK;
	struct str line;
	struct buf text;

	buf_init(&text, HEADER_CAP);
	while (lines.n && status == STATUS_OK) {
		line = str_cut(&lines, STR("\n"));
		*keyed |= is_header(line, "Authorization") || is_header(line, "api-key");
		buf_reset(&text);
		buf_str(&text, line);
		status = buf_check(&text);
		if (status == STATUS_OK)
			status = add_header(upstream, buf_text(&text));
	}
	buf_wipe(&text);
	return status;
}

static enum status set_headers(struct upstream *upstream, const struct upstream_target *target)
{
	static const char *const fixed[] = { "Content-Type: application/json",
					     "Accept: text/event-stream, application/json",
					     "Expect:" };
	bool keyed = false;
	enum status status;
	struct buf line;
	size_t i;

	buf_init(&line, HEADER_CAP);
	status = add_headers(upstream, str_from(target->headers), &keyed);
	if (status == STATUS_OK && *target->key && !keyed) {
		buf_printf(&line, "Authorization: Bearer %s", target->key);
		status = buf_check(&line);
		if (status == STATUS_OK)
			status = add_header(upstream, buf_text(&line));
	}
	for (i = 0; i < COUNT(fixed) && status == STATUS_OK; i++)
		status = add_header(upstream, fixed[i]);
	buf_wipe(&line);
	return status;
}

static enum status set_options(struct upstream *upstream, const struct upstream_target *target)
{
	CURL *easy = upstream->easy;
	CURLcode bad = CURLE_OK;

#define SET(option, value)                                                                         \
	do {                                                                                       \
		CURLcode code = curl_easy_setopt(easy, option, value);                             \
		bad = bad ? bad : code;                                                            \
	} while (0)
	SET(CURLOPT_URL, target->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L); /* the prompt and the key are for this server alone */
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTPHEADER, upstream->headers);
	SET(CURLOPT_USERAGENT, "banter");
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_NOPROGRESS, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* else removing a handle waits for a hung resolver */
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)target->connect_ms);
	SET(CURLOPT_CAPATH,
	    NULL); /* a folder of certificates would be searched at every handshake */
	SET(CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_S);
	if (*target->ca)
		SET(CURLOPT_CAINFO, target->ca);
	SET(CURLOPT_ERRORBUFFER, upstream->cause);
	SET(CURLOPT_WRITEFUNCTION, on_bytes);
	SET(CURLOPT_WRITEDATA, upstream);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, upstream);
	SET(CURLOPT_PREREQFUNCTION, on_request);
	SET(CURLOPT_PREREQDATA, upstream);
#undef SET
	curl_multi_setopt(upstream->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(upstream->multi, CURLMOPT_SOCKETDATA, upstream);
	curl_multi_setopt(upstream->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(upstream->multi, CURLMOPT_TIMERDATA, upstream);
	if (bad) {
		log_error("the model's address cannot be used: %s", curl_easy_strerror(bad));
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

enum status upstream_warm(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) ? STATUS_FAILED : STATUS_OK;
}

enum status upstream_new(const struct upstream_target *target, struct upstream **out)
{
	struct upstream *upstream = calloc(1, sizeof(*upstream));
	enum status status;
	int i;

	if (!upstream)
		return STATUS_NOMEM;
	buf_init(&upstream->piece, PIECE_CAP);
	for (i = 0; i < WAIT_MODEL_FDS; i++)
		upstream->fds[i].fd = -1;
	upstream->timer_at = CLOCK_NEVER;
	upstream->first_ms = target->first_ms;
	upstream->idle_ms = target->idle_ms;
	upstream->multi = curl_multi_init();
	upstream->easy = curl_easy_init();
	if (upstream->multi && upstream->easy) {
		status = set_headers(upstream, target);
		if (status == STATUS_OK)
			status = set_options(upstream, target);
	} else {
		status = STATUS_NOMEM;
	}
	if (status) {
		upstream_free(upstream);
		return status;
	}
	*out = upstream;
	return STATUS_OK;
}

static void wipe_list(struct curl_slist *list)
{
	struct curl_slist *at;

	for (at = list; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(list);
}

void upstream_free(struct upstream *upstream)
{
	if (!upstream)
		return;
	upstream_stop(upstream);
	curl_easy_cleanup(upstream->easy);
	curl_multi_cleanup(upstream->multi);
	wipe_list(upstream->headers);
	buf_clear(&upstream->piece);
	free(upstream);
}

static void set_cause(struct upstream *upstream, const char *cause)
{
	snprintf(upstream->cause, sizeof(upstream->cause), "%s", cause);
}

enum status upstream_post(struct upstream *upstream, struct str body, int64_t deadline,
			  struct stage *stage)
{
	CURLMcode code;
	CURL *fresh;

	upstream_stop(upstream);
	upstream->cause[0] = '\0';
	/*
	 * A handle counts for life how often it met a kept connection that the server had closed,
	 * and gives up at the sixth. The connections are the multi handle's.
	 */
	fresh = curl_easy_duphandle(upstream->easy);
	if (!fresh)
		return STATUS_NOMEM;
	curl_easy_cleanup(upstream->easy);
	upstream->easy = fresh;
	buf_reset(&upstream->piece);
	upstream->deadline = deadline;
	upstream->quiet_at = CLOCK_NEVER; /* libcurl bounds connecting */
	upstream->stage = stage;
	stage_set(stage, STAGE_CONNECT);
	if (curl_easy_setopt(upstream->easy, CURLOPT_POSTFIELDS, body.p) ||
	    curl_easy_setopt(upstream->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n))
		code = CURLM_OUT_OF_MEMORY;
	else
		code = curl_multi_add_handle(upstream->multi, upstream->easy);
	if (code) {
		set_cause(upstream, curl_multi_strerror(code));
		return code == CURLM_OUT_OF_MEMORY ? STATUS_NOMEM : STATUS_FAILED;
	}
	upstream->running = true;
	return STATUS_OK;
}

/* Hands libcurl what the last wait saw. */
static enum status drive(struct upstream *upstream, struct wait *wait)
{
	int i, left, bits, fd;
	CURLMcode code = CURLM_OK;

	for (i = 0; i < WAIT_MODEL_FDS && !code; i++) {
		fd = wait->fds[WAIT_MODEL + i].fd;
		bits = wait->fds[WAIT_MODEL + i].revents;
		if (fd < 0 || !bits)
			continue;
		code = curl_multi_socket_action(upstream->multi, fd,
						(bits & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
							(bits & POLLOUT ? CURL_CSELECT_OUT : 0) |
							(bits & POLLERR ? CURL_CSELECT_ERR : 0),
						&left);
	}
	if (!code && clock_ms() >= upstream->timer_at) {
		upstream->timer_at = CLOCK_NEVER;
		code = curl_multi_socket_action(upstream->multi, CURL_SOCKET_TIMEOUT, 0, &left);
	}
	if (code) {
		set_cause(upstream, curl_multi_strerror(code));
		return code == CURLM_OUT_OF_MEMORY ? STATUS_NOMEM : STATUS_FAILED;
	}
	return STATUS_OK;
}

/* What libcurl says of the transfer's end, if it has ended. `ended`: as it should. */
static enum status see_end(struct upstream *upstream, bool *ended)
{
	CURLMsg *message;
	int left;

	*ended = false;
	while ((message = curl_multi_info_read(upstream->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*ended = message->data.result == CURLE_OK;
		if (*ended)
			return STATUS_OK;
		if (!upstream->cause[0])
			set_cause(upstream, curl_easy_strerror(message->data.result));
		return message->data.result == CURLE_OPERATION_TIMEDOUT ? STATUS_TIMEOUT
									: STATUS_UNAVAILABLE;
	}
	return STATUS_OK;
}

static enum status wait_for_model(struct upstream *upstream, struct wait *wait, int64_t wake_at)
{
	int64_t limit = clock_earlier(upstream->quiet_at, upstream->deadline), now;
	enum status status;
	int i;

	for (i = 0; i < WAIT_MODEL_FDS; i++)
		wait_watch(wait, WAIT_MODEL + i, upstream->fds[i].fd, upstream->fds[i].events);
	status = wait_some(wait, clock_earlier(limit, clock_earlier(wake_at, upstream->timer_at)));
	if (status != STATUS_TIMEOUT)
		return status;
	now = clock_ms();
	if (now < limit)
		return STATUS_OK;
	set_cause(upstream,
		  now >= upstream->deadline ? "the exchange took too long" : upstream->quiet_cause);
	return STATUS_TIMEOUT;
}

static void remove_transfer(struct upstream *upstream)
{
	curl_multi_remove_handle(upstream->multi, upstream->easy);
	upstream->running = false;
}

static void unwatch(struct wait *wait)
{
	int i;

	for (i = 0; i < WAIT_MODEL_FDS; i++)
		wait_watch(wait, WAIT_MODEL + i, -1, 0);
}

enum status upstream_next(struct upstream *upstream, struct wait *wait, int64_t wake_at,
			  struct upstream_piece *out)
{
	enum status status;

	out->bytes = STR("");
	out->ended = false;
	buf_reset(&upstream->piece);
	status = wait_for_model(upstream, wait, wake_at);
	if (status == STATUS_OK)
		status = drive(upstream, wait);
	unwatch(wait); /* whoever waits next may not be us */
	if (upstream->piece.len) {
		stage_set(upstream->stage, STAGE_STREAM);
		upstream->quiet_at = clock_ms() + upstream->idle_ms;
	}
	if (buf_check(&upstream->piece))
		status = STATUS_NOMEM;
	if (status == STATUS_OK)
		status = see_end(upstream, &out->ended);
	/* What came before a failure still counts. */
	out->bytes = buf_view(&upstream->piece);
	if (status || out->ended)
		remove_transfer(upstream);
	return status;
}

int upstream_http_status(const struct upstream *upstream)
{
	long status = 0;

	curl_easy_getinfo(upstream->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

const char *upstream_cause(const struct upstream *upstream)
{
	return upstream->cause;
}

void upstream_stop(struct upstream *upstream)
{
	int left;

	if (!upstream->running)
		return;
	/*
	 * The body's last bytes may lie in the socket: with them read, the connection can be kept.
	 */
	buf_reset(&upstream->piece);
	curl_multi_perform(upstream->multi, &left);
	remove_transfer(upstream);
}
