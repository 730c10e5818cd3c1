/*
 * Requests out, answers in, over one transfer at a time.  What a body holds is model_request's,
 * what an answer means model_answer's, what an error's words mean model_refusal's.  A server's
 * error texts are not logged: some quote the prompt.
 */
#include "chat/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "chat/model_answer.h"
#include "chat/model_endpoint.h"
#include "chat/model_learning.h"
#include "chat/model_refusal.h"
#include "chat/model_request.h"
#include "edge/http_client.h"

#define CAUSE_SIZE 192
/* How long the rest of a stream may take once it has its finish reason: the usage and [DONE]. */
#define GRACE_MS 3000

struct model {
	struct http_client *http;
	struct model_endpoint endpoints[CONFIG_MODEL_SERVERS];
	struct model_endpoint *endpoint; /* of the request */
	const char *name;		 /* of the model, where the chatbot names none; borrowed */
	struct model_request request;
	struct model_answer answer;
	struct model_learning learning;
	struct buf refusal; /* the body of an HTTP error, to be judged, never to be shown */
	bool too_long;
	char cause[CAUSE_SIZE];
	int64_t grace_until; /* once the answer has a finish reason */
	/* Of model_start(), should the server want it otherwise. */
	int64_t deadline;
	struct stage *stage;
};

enum status model_new(const struct config *config, struct model **out)
{
	struct model *model = calloc(1, sizeof(*model));
	enum status status;
	size_t i;

	if (!model)
		return STATUS_NOMEM;
	buf_init(&model->refusal, MODEL_REFUSAL_CAP);
	model_answer_init(&model->answer, (size_t)config->answer_bytes);
	model_request_init(&model->request);
	model->name = config->model;
	status = http_client_new(&model->http);
	for (i = 0; i < config->model_server_count && status == STATUS_OK; i++)
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
	for (i = 0; i < CONFIG_MODEL_SERVERS; i++)
		model_endpoint_clear(&model->endpoints[i]);
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
	size_t i = CONFIG_MODEL_SERVERS - 1;

	while (i && model->endpoints[i].server != server)
		i--;
	return &model->endpoints[i];
}

void model_begin(struct model *model, const struct model_server *server,
		 const struct model_options *options)
{
	struct model_options named = *options;

	if (!named.name.p)
		named.name = str_from(model->name);
	model->endpoint = find_endpoint(model, server);
	buf_reset(&model->refusal);
	model_learning_begin(&model->learning, server, &named, &model->answer.reasoning);
	model_answer_reset(&model->answer, model->endpoint->members.several);
	model->grace_until = CLOCK_NEVER;
	model->too_long = false;
	model->cause[0] = '\0';
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

static enum status post(struct model *model)
{
	return http_client_start(model->http, &model->endpoint->http,
				 buf_view(&model->request.body), model->deadline, model->stage);
}

enum status model_start(struct model *model, int64_t deadline, struct stage *stage)
{
	enum status status = model_request_end(&model->request);

	model->deadline = deadline;
	model->stage = stage;
	return status ? status : post(model);
}

static enum status fail(struct model *model, enum status status, const char *cause)
{
	snprintf(model->cause, sizeof(model->cause), "%s", cause);
	return status;
}

/* What the transfer's failure was; the caller's has no cause. A limit is told with its setting. */
static enum status transfer_failed(struct model *model, enum status status)
{
	static const struct {
		const char *words, *setting;
		bool of_server;
	} late[HTTP_ENDS] = {
		[HTTP_END_LATE_FIRST] = { "the model did not begin to answer in time", "FIRST_TIME",
					  true },
		[HTTP_END_LATE_NEXT] = { "the model fell silent", "IDLE_TIME", true },
		[HTTP_END_LATE_DEADLINE] = { "the exchange took too long",
					     "BANTER_EXCHANGE_TIME, in one piece BANTER_JSON_TIME",
					     false },
	};
	enum http_end end = http_client_end(model->http);
	const char *name = model->endpoint->server->name;

	if (!late[end].words)
		return fail(model, status, http_client_cause(model->http));
	if (!late[end].of_server || strcmp(name, MODEL_SERVER_DEFAULT) == 0)
		snprintf(model->cause, sizeof(model->cause), "%s (%s%s)", late[end].words,
			 late[end].of_server ? CONFIG_SERVER_PREFIX : "", late[end].setting);
	else
		snprintf(model->cause, sizeof(model->cause), "%s ([%s] %s)", late[end].words, name,
			 late[end].setting);
	return status;
}

/* Asks once more without what the server named. STATUS_REFUSED: that is nothing of ours. */
static enum status ask_again(struct model *model, int http)
{
	unsigned members = model_refusal_members(http, buf_view(&model->refusal));
	enum status status;

	http_client_stop(model->http); /* it reads the body */
	status = model_request_yield(&model->request, members);
	if (status)
		return status;
	buf_reset(&model->refusal);
	return post(model);
}

/* An answer that is an HTTP error: read on where its body may tell more, else it is refused. */
static enum status take_refusal(struct model *model, int http, const struct http_piece *piece,
				enum status status)
{
	struct str bytes = piece->bytes;
	size_t room = MODEL_REFUSAL_CAP - model->refusal.len;

	if (status == STATUS_CLOSED || status == STATUS_STOPPED)
		return transfer_failed(model, status);
	if (model_refusal_readable(http)) {
		if (bytes.n < room && status == STATUS_OK && !piece->ended) {
			buf_str(&model->refusal, bytes);
			return buf_check(&model->refusal);
		}
		buf_append(&model->refusal, bytes.p, bytes.n < room ? bytes.n : room);
		model->too_long = model_refusal_too_long(http, buf_view(&model->refusal));
		status = model->too_long ? STATUS_REFUSED : ask_again(model, http);
		if (status != STATUS_REFUSED)
			return status;
	}
	snprintf(model->cause, sizeof(model->cause),
		 model->too_long ? "the messages are too long for the model (HTTP status %d)"
				 : "the model's server answered with HTTP status %d",
		 http);
	return STATUS_REFUSED;
}

/* What the answer's own failure was; the caller's has no cause. */
static enum status answer_failed(struct model *model, enum status status)
{
	model->too_long = model->answer.too_long;
	return model->answer.cause ? fail(model, status, model->answer.cause) : status;
}

/* Whatever comes meanwhile; text alone, which takes the reason back, ends it. */
static bool grace_is_over(struct model *model)
{
	if (!model_answer_finished(&model->answer))
		model->grace_until = CLOCK_NEVER;
	else if (model->grace_until == CLOCK_NEVER)
		model->grace_until = clock_ms() + GRACE_MS;
	return clock_ms() >= model->grace_until;
}

enum status model_next(struct model *model, struct wait *wait, int64_t wake_at, model_text_fn text,
		       void *context, bool *ended)
{
	struct http_piece piece;
	enum status status, parsed = STATUS_OK;
	bool late, cut;
	int http;

	*ended = false;
	status = http_client_next(model->http, wait, clock_earlier(wake_at, model->grace_until),
				  &piece);
	http = http_client_status(model->http);
	if (http / 100 != 2 && (piece.bytes.n || piece.ended || model->refusal.len))
		return take_refusal(model, http, &piece, status);
	if (piece.bytes.n) {
		model_request_taken(&model->request);
		parsed = model_answer_feed(&model->answer, piece.bytes, text, context);
	}
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
			model_learning_end(&model->learning, &model->answer.reasoning);
		return parsed ? answer_failed(model, parsed) : STATUS_OK;
	}
	return status ? transfer_failed(model, status) : STATUS_OK;
}

void model_stop(struct model *model)
{
	http_client_stop(model->http);
}

struct str model_finish_reason(const struct model *model)
{
	return model_answer_finished(&model->answer) ? buf_view(&model->answer.reason) : STR_NONE;
}

int64_t model_tokens_in(const struct model *model)
{
	return model->answer.tokens_in;
}

int64_t model_tokens_out(const struct model *model)
{
	return model->answer.tokens_out;
}

bool model_too_long(const struct model *model)
{
	return model->too_long;
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
