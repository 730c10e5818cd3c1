/*
 * edge/upstream for tests of what rests on it: the request is kept, the response comes in the
 * pieces of a script. Each piece lies in memory of its own size, so that reading on is seen.
 */
#ifndef STUB_UPSTREAM_H
#define STUB_UPSTREAM_H

#include "stub_journal.h"
#include "stub_time.h"

#include "edge/upstream.h"

struct stub_piece {
	struct str bytes;
	enum status status;
	bool ended;
	int64_t ms; /* how long it takes to come */
};

struct upstream {
	char *piece;
	bool running;
};

static struct {
	const struct stub_piece *pieces;
	size_t count, at;
	int http;
	const char *cause;
	enum status posted;
	char body[65536];
	size_t body_n;
	int64_t deadline, wake_at; /* of the last calls */
} stub_upstream;

static inline void stub_upstream_script(const struct stub_piece *pieces, size_t count)
{
	memset(&stub_upstream, 0, sizeof(stub_upstream));
	stub_upstream.pieces = pieces;
	stub_upstream.count = count;
	stub_upstream.http = 200;
	stub_upstream.cause = "";
}

/* The last request's body. */
static inline struct str stub_upstream_body(void)
{
	return (struct str){ stub_upstream.body, stub_upstream.body_n };
}

enum status upstream_new(const struct upstream_target *target, struct upstream **out)
{
	struct upstream *upstream = calloc(1, sizeof(*upstream));

	if (!upstream)
		return STATUS_NOMEM;
	note("target(%s, %s) ", target->url, target->key);
	*out = upstream;
	return STATUS_OK;
}

void upstream_free(struct upstream *upstream)
{
	if (upstream)
		free(upstream->piece);
	free(upstream);
}

enum status upstream_post(struct upstream *upstream, struct str body, int64_t deadline,
			  struct stage *stage)
{
	note("post ");
	stage_set(stage, STAGE_CONNECT);
	assert_true(body.n < sizeof(stub_upstream.body));
	memcpy(stub_upstream.body, body.p, body.n);
	stub_upstream.body_n = body.n;
	stub_upstream.deadline = deadline;
	upstream->running = stub_upstream.posted == STATUS_OK;
	return stub_upstream.posted;
}

enum status upstream_next(struct upstream *upstream, struct wait *wait, int64_t wake_at,
			  struct upstream_piece *out)
{
	const struct stub_piece *piece = &stub_upstream.pieces[stub_upstream.at];

	(void)wait;
	note("next ");
	assert_true(upstream->running);
	assert_true(stub_upstream.at < stub_upstream.count);
	stub_upstream.at++;
	stub_upstream.wake_at = wake_at;
	stub_time.now += piece->ms;
	free(upstream->piece);
	upstream->piece = malloc(piece->bytes.n ? piece->bytes.n : 1);
	*out = (struct upstream_piece){ .bytes = STR(""), .ended = false };
	if (!upstream->piece)
		return STATUS_NOMEM;
	if (piece->bytes.n)
		memcpy(upstream->piece, piece->bytes.p, piece->bytes.n);
	out->bytes = (struct str){ upstream->piece, piece->bytes.n };
	out->ended = piece->ended && piece->status == STATUS_OK;
	upstream->running = piece->status == STATUS_OK && !piece->ended;
	return piece->status;
}

int upstream_http_status(const struct upstream *upstream)
{
	(void)upstream;
	return stub_upstream.http;
}

const char *upstream_cause(const struct upstream *upstream)
{
	(void)upstream;
	return stub_upstream.cause;
}

void upstream_stop(struct upstream *upstream)
{
	if (upstream->running)
		note("stop ");
	upstream->running = false;
}

#endif
