/*
 * edge/http_client for tests of what rests on it: the request is kept, the response comes in the
 * pieces of a script. Each piece lies in memory of its own size, so that reading on is seen.
 */
#ifndef STUB_HTTP_CLIENT_H
#define STUB_HTTP_CLIENT_H

#include "stub_journal.h"
#include "stub_time.h"

#include "edge/http_client.h"

struct stub_piece {
	struct str bytes;
	enum status status;
	bool ended;
	int64_t ms; /* how long it takes to come */
	int http;   /* the status from here on; 0: as it was */
	enum http_end end;
};

struct http_client {
	char *piece;
	bool running;
};

static struct {
	const struct stub_piece *pieces;
	size_t count, at;
	int http;
	const char *cause;
	enum status prepared, posted; /* what those calls answer */
	enum http_end end;
	bool reused, fresh; /* the connection is a kept one; none is to be */
	int64_t retry_ms;
	const char *url; /* of the last request */
	char body[65536];
	size_t body_n;
	int64_t deadline, wake_at; /* of the last calls */
} stub_http;

static inline void stub_http_script(const struct stub_piece *pieces, size_t count)
{
	memset(&stub_http, 0, sizeof(stub_http));
	stub_http.pieces = pieces;
	stub_http.count = count;
	stub_http.http = 200;
	stub_http.cause = "";
	stub_http.retry_ms = -1;
}

/* The last request's body. */
static inline struct str stub_http_body(void)
{
	return (struct str){ stub_http.body, stub_http.body_n };
}

enum status http_client_new(struct http_client **out)
{
	struct http_client *client = calloc(1, sizeof(*client));

	if (!client)
		return STATUS_NOMEM;
	*out = client;
	return STATUS_OK;
}

void http_client_free(struct http_client *client)
{
	if (client)
		free(client->piece);
	free(client);
}

/* Its copy is the URL: a start says with it who is asked. */
enum status http_client_prepare(struct http_client *client, const struct http_target *target,
				struct http_prepared *prepared, const char **why)
{
	(void)client;
	*why = "the stub's why";
	if (stub_http.prepared)
		return stub_http.prepared;
	*prepared = (struct http_prepared){ .easy = strdup(target->url) };
	if (!prepared->easy)
		return STATUS_NOMEM;
	note("target(%s, %s) ", target->url, target->headers);
	return STATUS_OK;
}

void http_prepared_clear(struct http_prepared *prepared)
{
	free(prepared->easy);
	*prepared = (struct http_prepared){ .easy = NULL };
}

enum status http_client_start(struct http_client *client, const struct http_prepared *prepared,
			      struct str body, int64_t deadline, struct stage *stage)
{
	assert_non_null(prepared->easy);
	note("post ");
	stage_set(stage, STAGE_CONNECT);
	assert_true(body.n < sizeof(stub_http.body));
	memcpy(stub_http.body, body.p, body.n);
	stub_http.body_n = body.n;
	stub_http.deadline = deadline;
	stub_http.url = prepared->easy;
	client->running = stub_http.posted == STATUS_OK;
	return stub_http.posted;
}

enum status http_client_next(struct http_client *client, struct wait *wait, int64_t wake_at,
			     struct http_piece *out)
{
	const struct stub_piece *piece = &stub_http.pieces[stub_http.at];

	(void)wait;
	note("next ");
	assert_true(client->running);
	assert_true(stub_http.at < stub_http.count);
	stub_http.at++;
	stub_http.wake_at = wake_at;
	stub_time.now += piece->ms;
	if (piece->http)
		stub_http.http = piece->http;
	if (piece->end)
		stub_http.end = piece->end;
	free(client->piece);
	client->piece = malloc(piece->bytes.n ? piece->bytes.n : 1);
	*out = (struct http_piece){ .bytes = STR(""), .ended = false };
	if (!client->piece)
		return STATUS_NOMEM;
	if (piece->bytes.n)
		memcpy(client->piece, piece->bytes.p, piece->bytes.n);
	out->bytes = (struct str){ client->piece, piece->bytes.n };
	out->ended = piece->ended && piece->status == STATUS_OK;
	client->running = piece->status == STATUS_OK && !piece->ended;
	return piece->status;
}

int http_client_status(const struct http_client *client)
{
	(void)client;
	return stub_http.http;
}

enum http_end http_client_end(const struct http_client *client)
{
	(void)client;
	return stub_http.end;
}

const char *http_client_cause(const struct http_client *client)
{
	(void)client;
	return stub_http.cause;
}

void http_client_fresh(struct http_client *client, bool fresh)
{
	(void)client;
	stub_http.fresh = fresh;
}

bool http_client_reused(const struct http_client *client)
{
	(void)client;
	return stub_http.reused && !stub_http.fresh;
}

int64_t http_client_retry_ms(struct http_client *client)
{
	(void)client;
	return stub_http.retry_ms;
}

void http_client_stop(struct http_client *client)
{
	if (client->running)
		note("stop ");
	client->running = false;
}

#endif
