/*
 * Requests out, answers in, over one transfer at a time.  What a body holds is model_request's,
 * what an answer means model_answer's, what an error's words mean model_refusal's.  A server's
 * error texts are not logged: some quote the prompt.
 */
#include "chat/model.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hot.h"
#include "chat/model_answer.h"
#include "chat/model_endpoint.h"
#include "chat/model_failure.h"
#include "chat/model_learning.h"
#include "chat/model_refusal.h"
#include "chat/model_request.h"
#include "edge/http_client.h"

#define CAUSE_SIZE 192
/* How long the rest of a stream may take once it has its finish reason: the usage and [DONE]. */
#define GRACE_MS 3000
/* An error's status came: its body is waited for no longer than this. */
#define REFUSAL_MS 5000

struct model {
	struct http_client *http;
	struct model_endpoint *endpoints; /* as many as there are servers */
	size_t endpoint_count;
	struct model_endpoint *endpoint; /* of the request */
	const char *name;		 /* of the model, where the chatbot names none; borrowed */
	struct model_request request;
	struct model_answer answer;
	struct model_learning learning;
	struct buf refusal; /* the body of an HTTP error, to be judged, never to be shown */
	struct model_failure failure;
	char cause[CAUSE_SIZE];
	int64_t grace_until; /* once the answer has a finish reason */
	int64_t patience_ms; /* as the options' */
	int64_t heard_at;    /* the last sign of life; before the first, when it was sent */
	int64_t deadline;
};

enum status model_new(const struct config *config, struct model **out)
{
	struct model *model = calloc(1, sizeof(*model));
	enum status status;
	size_t i;

	if (!model)
		return STATUS_NOMEM;
	model->endpoints = calloc(config->model_server_count, sizeof(*model->endpoints));
	model->endpoint_count = model->endpoints ? config->model_server_count : 0;
	buf_init(&model->refusal, MODEL_REFUSAL_CAP);
	model_answer_init(&model->answer, (size_t)config->answer_bytes);
	model_request_init(&model->request);
	model->name = config->model;
	status = model->endpoints ? http_client_new(&model->http) : STATUS_NOMEM;
	for (i = 0; i < model->endpoint_count && status == STATUS_OK; i++)
		status = model_endpoint_init(&model->endpoints[i], model->http,
					     &config->model_servers[i]);
	if (status) {
		model_free(model);
		return status;
	}
	*out = model;
	return STATUS_OK;
}

void model_free(struct model *model)
{
	size_t i;

	if (!model)
		return;
	http_client_free(model->http);
	for (i = 0; i < model->endpoint_count; i++)
		model_endpoint_clear(&model->endpoints[i]);
	free(model->endpoints);
	model_request_clear(&model->request);
	model_answer_clear(&model->answer);
	buf_wipe(&model->refusal);
	free(model);
}

void model_remember(struct model *model, struct reasoning_memory *memory)
{
	model->learning.memory = memory;
}

static struct model_endpoint *find_endpoint(struct model *model, const struct model_server *server)
{
	size_t i = model->endpoint_count - 1;

	while (i && model->endpoints[i].server != server)
		i--;
	return &model->endpoints[i];
}

void model_reset(struct model *model)
{
	buf_reset(&model->refusal);
	model_answer_reset(&model->answer, model->endpoint && model->endpoint->members.several);
	model->grace_until = CLOCK_NEVER;
	model->failure = (struct model_failure){ .retry_ms = -1 };
	model->cause[0] = '\0';
}

void model_begin(struct model *model, const struct model_server *server,
		 const struct model_options *options)
{
	struct model_options named = *options;

	if (!named.name.p)
		named.name = str_from(model->name);
	model->endpoint = find_endpoint(model, server);
	model_learning_begin(&model->learning, server, &named, &model->answer.reasoning);
	model_reset(model);
	model->patience_ms = options->patience_ms;
	http_client_fresh(model->http, options->fresh);
	(void)model_server_serves(server, named.name, &named.name);
	model_request_begin(&model->request, &model->endpoint->members, &named);
}

void model_message(struct model *model, enum model_role role, struct str text)
{
	static const struct str roles[] = {
		[MODEL_SYSTEM] = { "system", 6 },
		[MODEL_USER] = { "user", 4 },
		[MODEL_ASSISTANT] = { "assistant", 9 },
	};

	model_request_message(&model->request, roles[role], text);
}

enum status model_start(struct model *model, int64_t deadline, struct stage *stage)
{
	enum status status = model_request_end(&model->request);

	if (status)
		return status;
	model->deadline = deadline;
	model->heard_at = clock_ms();
	return http_client_start(model->http, &model->endpoint->http,
				 buf_view(&model->request.body), deadline, stage);
}

static enum status fail(struct model *model, enum status status, enum model_failure_kind kind,
			const char *cause)
{
	model->failure.kind = kind;
	model->failure.reused = http_client_reused(model->http);
	model->failure.retry_ms = http_client_retry_ms(model->http);
	snprintf(model->cause, sizeof(model->cause), "%s", cause);
	return status;
}

static enum status fail_as(struct model *model, enum status status, enum http_end end)
{
	char cause[CAUSE_SIZE];
	bool late = model_failure_late(end, model->endpoint->server, cause, sizeof(cause));

	return fail(model, status, model_failure_kind_of(end),
		    late ? cause : http_client_cause(model->http));
}

/* What the transfer's failure was; the caller's has no cause. */
static enum status transfer_failed(struct model *model, enum status status)
{
	int http = http_client_status(model->http);

	(void)fail_as(model, status, http_client_end(model->http));
	if (http >= 300) {
		/* It had said as much. */
		model->failure.kind = MODEL_HTTP;
		model->failure.http = http;
	}
	return status;
}

/* What the server's words say of its refusal. */
static void judge(struct model *model, int http, struct str words)
{
	struct model_refusal refusal;
	struct str names[MODEL_MEMBERS];

	model_request_names(&model->request, names);
	model_refusal_judge(http, words, names, &refusal);
	model->failure.http = refusal.http;
	model->failure.too_long = refusal.too_long;
	model->failure.refused = model_request_refused(&model->request, &refusal);
}

/* An answer that is an HTTP error: read on where its body may tell more, else it is refused. */
static enum status take_refusal(struct model *model, int http, const struct http_piece *piece,
				enum status status)
{
	struct str bytes = piece->bytes;
	size_t room = MODEL_REFUSAL_CAP - model->refusal.len;

	if (status == STATUS_CLOSED || status == STATUS_STOPPED)
		return transfer_failed(model, status);
	model->failure.http = http;
	if (model_refusal_readable(http)) {
		if (bytes.n < room && status == STATUS_OK && !piece->ended) {
			buf_str(&model->refusal, bytes);
			return buf_check(&model->refusal);
		}
		buf_append(&model->refusal, bytes.p, bytes.n < room ? bytes.n : room);
		judge(model, http, buf_view(&model->refusal));
	}
	(void)fail(model, STATUS_REFUSED, MODEL_HTTP, "");
	snprintf(model->cause, sizeof(model->cause),
		 model->failure.too_long
			 ? "the messages are too long for the model (HTTP status %d)"
			 : "the model's server answered with HTTP status %d",
		 http);
	return STATUS_REFUSED;
}

/* What the answer's own failure was; the caller's has no cause. */
static enum status answer_failed(struct model *model, enum status status)
{
	enum model_failure_kind kind = status == STATUS_REFUSED	      ? MODEL_ERROR
				       : status == STATUS_UNAVAILABLE ? MODEL_RESET
								      : MODEL_PROTOCOL;

	if (!model->answer.cause)
		return status;
	if (kind == MODEL_ERROR)
		judge(model, http_client_status(model->http), model_answer_refusal(&model->answer));
	return fail(model, status, kind, model->answer.cause);
}

/*
 * When a silence has lasted too long before the first text. A kept connection may lead nowhere
 * without anybody having said so: it gets no more than half of the time, so that a new one can be
 * tried.
 */
static HOT int64_t silent_until(const struct model *model)
{
	int64_t most = model->patience_ms ? model->patience_ms : CLOCK_NEVER;
	int64_t left = model->deadline - model->heard_at;

	if (model->answer.spoke)
		return CLOCK_NEVER;
	if (http_client_status(model->http) >= 300)
		most = clock_earlier(most, REFUSAL_MS);
	else if (!http_client_status(model->http) && http_client_reused(model->http))
		most = clock_earlier(most, left / 2);
	return most < left ? model->heard_at + most : CLOCK_NEVER;
}

/* What is not whole when its time is over is judged as it is. */
static enum status hear_refusal(struct model *model, int http, const struct http_piece *piece,
				enum status status)
{
	if (status == STATUS_OK && !piece->ended && clock_ms() >= silent_until(model))
		status = STATUS_TIMEOUT;
	return take_refusal(model, http, piece, status);
}

/* Nothing came, and it is too late for more. */
static enum status give_up(struct model *model, int http)
{
	const struct http_piece nothing = { .bytes = STR("") };

	if (http >= 300)
		return take_refusal(model, http, &nothing, STATUS_TIMEOUT);
	if (model->patience_ms && model->patience_ms == model->endpoint->server->first_ms)
		return fail_as(model, STATUS_TIMEOUT, HTTP_END_LATE_FIRST);
	return fail(model, STATUS_TIMEOUT, MODEL_LATE,
		    http_client_reused(model->http)
			    ? "a kept connection brought no answer"
			    : "the model did not begin to answer in its share of the time");
}

/* Whatever comes meanwhile; text alone, which takes the reason back, ends it. */
static bool grace_is_over(struct model *model)
{
	bool finished = model_answer_finished(&model->answer);

	if (!finished)
		model->grace_until = CLOCK_NEVER;
	else if (model->grace_until == CLOCK_NEVER)
		model->grace_until = clock_ms() + GRACE_MS;
	return finished && clock_ms() >= model->grace_until;
}

/* It ended as it should: what the request and the answer teach is believed. */
static void take_whole(struct model *model)
{
	model_request_taken(&model->request);
	model_learning_end(&model->learning, &model->answer.reasoning);
}

HOT enum status model_next(struct model *model, struct wait *wait, int64_t wake_at,
			   model_text_fn text, void *context, bool *ended)
{
	int64_t until = silent_until(model);
	int http, before = http_client_status(model->http);
	enum status status, parsed = STATUS_OK;
	struct http_piece piece;
	bool late, cut;

	*ended = false;
	status = http_client_next(model->http, wait,
				  clock_earlier(wake_at, clock_earlier(until, model->grace_until)),
				  &piece);
	http = http_client_status(model->http);
	/* Once it spoke nobody asks for it; an error has its time from its status on, however it trickles. */
	if (http >= 300 ? http != before : piece.bytes.n && !model->answer.spoke)
		model->heard_at = clock_ms();
	if (http / 100 != 2 && (piece.bytes.n || piece.ended || model->refusal.len))
		return hear_refusal(model, http, &piece, status);
	if (piece.bytes.n)
		parsed = model_answer_feed(&model->answer, piece.bytes, text, context);
	if (model->answer.spoke)
		model_request_taken(&model->request);
	if (parsed)
		return answer_failed(model, parsed);
	/*
	 * Behind a finish reason only [DONE] was still to come: some servers just close, or do not.
	 */
	late = grace_is_over(model);
	cut = (status == STATUS_OK && late) ||
	      ((status == STATUS_UNAVAILABLE || status == STATUS_TIMEOUT) &&
	       model_answer_finished(&model->answer));
	if (piece.ended || cut || model_answer_done(&model->answer)) {
		parsed = model_answer_end(&model->answer, cut, text, context);
		*ended = parsed == STATUS_OK;
		if (*ended)
			take_whole(model);
		return parsed ? answer_failed(model, parsed) : STATUS_OK;
	}
	if (status)
		return transfer_failed(model, status);
	return piece.bytes.n == 0 && clock_ms() >= until ? give_up(model, http) : STATUS_OK;
}

void model_stop(struct model *model)
{
	http_client_stop(model->http);
	model_answer_slim(&model->answer);
}

struct str model_finish_reason(const struct model *model)
{
	return model_answer_finished(&model->answer) ? buf_view(&model->answer.reason) : STR_NONE;
}

int64_t model_tokens_in(const struct model *model)
{
	return model->answer.tokens_in;
}

int64_t model_tokens_cached(const struct model *model)
{
	return model->answer.tokens_cached;
}

int64_t model_tokens_out(const struct model *model)
{
	return model->answer.tokens_out;
}

const struct model_failure *model_failed(const struct model *model)
{
	return &model->failure;
}

bool model_only_reasoned(const struct model *model)
{
	return model_reasoning_only(&model->answer.reasoning);
}

int model_http_status(const struct model *model)
{
	return http_client_status(model->http);
}

const char *model_cause(const struct model *model)
{
	return model->cause;
}
