/*
 * Transfers, from a prepared handle to their end. Not by curl_easy_perform(), which notices neither
 * a client that left nor a signal while a server is silent: see edge/http_multi.
 */
#include "edge/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/hot.h"
#include "base/stack.h"
#include "edge/http_multi.h"
#include "edge/http_rehearsal.h"
#include "edge/http_unpack.h"

/* What may come in one turn of libcurl; it hands over at most a few socket reads at once. */
#define PIECE_CAP (4 << 20)
#define PIECE_KEPT (64 << 10) /* for the next transfer's */
/* A server that wants a longer pause might as well say for ever. */
#define RETRY_MOST_S 86400

struct http_client {
	struct http_multi multi;
	CURL *easy; /* of the transfer, until it is stopped; NULL: there is none */
	struct buf piece;
	struct http_unpack unpack;
	bool running;
	int status;		       /* HTTP's, once its line came; else 0 */
	bool fresh;		       /* kept connections are left alone */
	bool sent;		       /* it has a connection, and the request goes out */
	bool reused;		       /* ... a kept one */
	bool closed;		       /* ... which was closed before any answer */
	struct http_prepared prepared; /* of the transfer; a copy, since each piece asks it */
	int64_t quiet_at;	       /* when the silence has lasted too long */
	enum http_end quiet_end;       /* ... and what that means */
	int64_t deadline;
	struct stage *stage;
	enum http_end end;
	enum status unpacked; /* what became of the last bytes */
	char cause[CURL_ERROR_SIZE];
};

static HOT size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct http_client *client = context;
	struct str came = { bytes, size * count };
	enum status status;

	if (!client->prepared.unpacks) {
		status = http_unpack_feed(&client->unpack, came, &client->piece);
	} else {
		buf_str(&client->piece, came);
		status = buf_check(&client->piece);
	}
	client->unpacked = status;
	return status == STATUS_OK ? came.n : 0;
}

static void limit_silence(struct http_client *client, int64_t now, int64_t ms, enum http_end end)
{
	client->quiet_at = ms ? now + ms : CLOCK_NEVER;
	client->quiet_end = end;
}

/* The first header line is the first sign of life; from here on every byte moves the limit. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_client *client = context;

	http_unpack_header(&client->unpack, (struct str){ bytes, size * count });
	client->status = 0; /* another may come: "100 Continue" was none */
	limit_silence(client, clock_ms(), client->prepared.idle_ms, HTTP_END_LATE_NEXT);
	return size * count;
}

/*
 * libcurl sends a request once more by itself where a kept connection turns out to be closed. Its
 * caller is to know of each: so the second one is none.
 */
static int on_request(void *context, char *ip, char *local_ip, int port, int local_port)
{
	struct http_client *client = context;
	long made = 1;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	if (client->sent) {
		client->closed = true;
		return CURL_PREREQFUNC_ABORT;
	}
	curl_easy_getinfo(client->easy, CURLINFO_NUM_CONNECTS, &made);
	client->reused = made == 0;
	if (made && client->prepared.tls)
		heap_trim(); /* of what a handshake took, most is free again */
	client->sent = true;
	stage_set(client->stage, STAGE_FIRST);
	limit_silence(client, clock_ms(), client->prepared.first_ms, HTTP_END_LATE_FIRST);
	return CURL_PREREQFUNC_OK;
}

enum status http_client_warm(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) ? STATUS_FAILED : STATUS_OK;
}

enum status http_client_new(struct http_client **out)
{
	struct http_client *client = calloc(1, sizeof(*client));

	if (!client)
		return STATUS_NOMEM;
	buf_init(&client->piece, PIECE_CAP);
	if (http_multi_init(&client->multi)) {
		http_client_free(client);
		return STATUS_NOMEM;
	}
	*out = client;
	return STATUS_OK;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	http_client_stop(client);
	http_multi_clear(&client->multi);
	buf_clear(&client->piece);
	http_unpack_clear(&client->unpack);
	free(client);
}

/* What every request of ours needs is set here once: a copy of the handle has it too. */
enum status http_client_prepare(struct http_client *client, const struct http_target *target,
				struct http_prepared *prepared, const char **why)
{
	enum status status = http_prepared_init(prepared, target, why);
	CURL *easy;

	if (status)
		return status;
	if (target->rehearse)
		http_rehearsal_play(&client->multi, prepared);
	easy = prepared->easy;
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->cause);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, client);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, client);
	return STATUS_OK;
}

/* Until it is there; then it stays what it is while no header comes. */
static void see_status(struct http_client *client)
{
	long status = 0;

	curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	client->status = (int)status;
	if (status && !client->reused && client->prepared.tls) {
		heap_trim();  /* its tickets came since the request */
		stack_trim(); /* a handshake's calls are the deepest */
	}
}

/* A failure of libcurl itself. */
static enum status fail(struct http_client *client, int code)
{
	client->end = HTTP_END_OTHER;
	snprintf(client->cause, sizeof(client->cause), "%s", curl_multi_strerror((CURLMcode)code));
	return code == CURLM_OUT_OF_MEMORY ? STATUS_NOMEM : STATUS_FAILED;
}

void http_client_fresh(struct http_client *client, bool fresh)
{
	client->fresh = fresh;
}

enum status http_client_start(struct http_client *client, const struct http_prepared *prepared,
			      struct str body, int64_t deadline, struct stage *stage)
{
	CURLMcode code;
	CURL *easy;

	http_client_stop(client);
	client->cause[0] = '\0';
	client->end = HTTP_END_NONE;
	client->status = 0;
	client->sent = client->reused = client->closed = false;
	/*
	 * A handle counts for life how often it met a kept connection that the server had closed,
	 * and gives up at the sixth: each request has its own. The connections are the multi
	 * handle's.
	 */
	client->easy = curl_easy_duphandle(prepared->easy);
	if (!client->easy)
		return STATUS_NOMEM;
	buf_reset(&client->piece);
	http_unpack_begin(&client->unpack);
	client->unpacked = STATUS_OK;
	client->prepared = *prepared;
	client->deadline = deadline;
	client->quiet_at = CLOCK_NEVER; /* libcurl bounds connecting */
	client->stage = stage;
	stage_set(stage, STAGE_CONNECT);
	easy = client->easy;
	if (body.p && (curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.p) ||
		       curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n)))
		return fail(client, CURLM_OUT_OF_MEMORY);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)client->fresh);
	code = curl_multi_add_handle(client->multi.handle, easy);
	if (code)
		return fail(client, code);
	client->running = true;
	return STATUS_OK;
}

/* What libcurl says of the transfer's end, if it has ended. `ended`: as it should. */
static enum status see_end(struct http_client *client, bool *ended)
{
	CURLMsg *message;
	CURLcode code;
	int left;

	*ended = false;
	while ((message = curl_multi_info_read(client->multi.handle, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result;
		*ended = code == CURLE_OK;
		client->end = http_end_of(client->easy, (int)code);
		if (*ended)
			return STATUS_OK;
		if (client->closed) {
			client->end = HTTP_END_CUT;
			snprintf(client->cause, sizeof(client->cause),
				 "the server closed a kept connection");
		} else if (client->unpacked) {
			snprintf(client->cause, sizeof(client->cause),
				 "the body came packed and cannot be unpacked");
		}
		if (!client->cause[0])
			snprintf(client->cause, sizeof(client->cause), "%s",
				 curl_easy_strerror(code));
		return client->end == HTTP_END_LATE ? STATUS_TIMEOUT : STATUS_UNAVAILABLE;
	}
	return STATUS_OK;
}

static HOT enum status wait_for_server(struct http_client *client, struct wait *wait,
				       int64_t wake_at)
{
	int64_t limit = clock_earlier(client->quiet_at, client->deadline), now;
	enum status status;

	http_multi_watch(&client->multi, wait);
	status = wait_some(wait,
			   clock_earlier(limit, clock_earlier(wake_at, client->multi.timer_at)));
	if (status != STATUS_TIMEOUT)
		return status;
	now = wait->now;
	if (now < limit)
		return STATUS_OK;
	client->end = now >= client->deadline ? HTTP_END_LATE_DEADLINE : client->quiet_end;
	client->cause[0] = '\0';
	return STATUS_TIMEOUT;
}

static void remove_transfer(struct http_client *client)
{
	curl_multi_remove_handle(client->multi.handle, client->easy);
	client->running = false;
}

HOT enum status http_client_next(struct http_client *client, struct wait *wait, int64_t wake_at,
				 struct http_piece *out)
{
	enum status status;
	bool running = true;
	int code;

	out->bytes = STR("");
	out->ended = false;
	buf_reset(&client->piece);
	status = wait_for_server(client, wait, wake_at);
	if (status == STATUS_OK) {
		code = http_multi_drive(&client->multi, wait,
					client->status && !client->prepared.http2, &running);
		status = code ? fail(client, code) : STATUS_OK;
		if (!client->status)
			see_status(client);
	}
	http_multi_unwatch(wait);
	if (client->piece.len) {
		stage_set_at(client->stage, STAGE_STREAM, wait->now);
		limit_silence(client, wait->now, client->prepared.idle_ms, HTTP_END_LATE_NEXT);
	}
	if (client->unpacked == STATUS_NOMEM || buf_check(&client->piece))
		status = STATUS_NOMEM;
	if (status == STATUS_OK && !running)
		status = see_end(client, &out->ended);
	/* What came before a failure still counts. */
	out->bytes = buf_view(&client->piece);
	if (status || out->ended)
		remove_transfer(client);
	return status;
}

HOT int http_client_status(const struct http_client *client)
{
	return client->status;
}

enum http_end http_client_end(const struct http_client *client)
{
	return client->end;
}

const char *http_client_cause(const struct http_client *client)
{
	return client->cause;
}

bool http_client_reused(const struct http_client *client)
{
	return client->reused;
}

int64_t http_client_retry_ms(struct http_client *client)
{
	struct curl_header *header = NULL;
	const int64_t most = (int64_t)RETRY_MOST_S * 1000;
	curl_off_t seconds = 0;
	int64_t ms;

	if (!client->easy)
		return -1;
	/* OpenAI's and Azure's own, finer than the standard one beside it. */
	if (!curl_easy_header(client->easy, "retry-after-ms", 0, CURLH_HEADER, -1, &header) &&
	    str_number(str_from(header->value), 10, &ms))
		return ms < most ? ms : most;
	if (curl_easy_header(client->easy, "Retry-After", 0, CURLH_HEADER, -1, &header))
		return -1;
	curl_easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds <= 0)
		return -1;
	return seconds < RETRY_MOST_S ? (int64_t)seconds * 1000 : most;
}

void http_client_head(struct http_client *client, struct buf *out)
{
	struct curl_header *at = NULL;

	while (client->easy && (at = curl_easy_nextheader(client->easy, CURLH_HEADER, -1, at)))
		buf_printf(out, "%s: %s\r\n", at->name, at->value);
}

int64_t http_client_certificate_end(struct http_client *client)
{
	return http_end_certificate(client->easy);
}

void http_client_stop(struct http_client *client)
{
	int left;

	/*
	 * The body's last bytes may lie in the socket: with them read, the connection can be kept.
	 */
	if (client->running) {
		buf_reset(&client->piece);
		curl_multi_perform(client->multi.handle, &left);
		see_status(client);
		remove_transfer(client);
	}
	curl_easy_cleanup(client->easy); /* with all headers that came */
	client->easy = NULL;
	buf_slim(&client->piece, PIECE_KEPT);
}
