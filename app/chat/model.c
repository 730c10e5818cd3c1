/*
 * Requests out, deltas in. A server's error texts are not logged: some quote the prompt.
 * What the protocol's members mean is OpenAI's API reference, "chat completion chunk object".
 */
#include "chat/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "chat/model_refusal.h"
#include "edge/upstream.h"
#include "wire/frame.h"
#include "wire/json.h"
#include "wire/sse.h"
#include "wire/utf8.h"

#define REQUEST_CAP (16 << 20)
#define EVENT_CAP (4 << 20) /* extra members can be large: logprobs, citations */
#define REASON_CAP 64
#define CAUSE_SIZE 192

struct model {
	struct upstream *upstream;
	char *default_name;
	struct buf request;
	struct frame frame;
	struct sse sse;
	struct utf8_joiner joiner;
	struct buf text; /* one delta, mended */
	struct buf reason;
	struct buf refusal; /* the body of an HTTP error, to be judged, never to be shown */
	bool too_long;
	bool done; /* [DONE] came: nothing behind it counts */
	int64_t tokens_in, tokens_out;
	char cause[CAUSE_SIZE];
	model_text_fn sink;
	void *sink_context;
};

enum status model_new(const struct config *config, struct model **out)
{
	struct model *model = calloc(1, sizeof(*model));
	struct upstream_target target = {
		.key = config->model_key,
		.ca = config->model_ca,
		.connect_ms = config->model_connect_ms,
		.first_ms = config->model_first_ms,
		.idle_ms = config->model_idle_ms,
	};
	struct buf url;
	enum status status;

	if (!model)
		return STATUS_NOMEM;
	buf_init(&model->request, REQUEST_CAP);
	buf_init(&model->text, EVENT_CAP * 3);
	buf_init(&model->reason, REASON_CAP);
	buf_init(&model->refusal, MODEL_REFUSAL_CAP);
	sse_init(&model->sse, EVENT_CAP);
	model->default_name = strdup(config->model);
	buf_init(&url, 8192);
	buf_printf(&url, "%s/chat/completions", config->model_url);
	target.url = buf_text(&url);
	status = model->default_name ? buf_check(&url) : STATUS_NOMEM;
	if (status == STATUS_OK)
		status = upstream_new(&target, &model->upstream);
	buf_clear(&url);
	if (status) {
		model_free(model);
		return status;
	}
	*out = model;
	return STATUS_OK;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	upstream_free(model->upstream);
	free(model->default_name);
	buf_wipe(&model->request);
	buf_wipe(&model->text);
	buf_clear(&model->reason);
	buf_wipe(&model->refusal);
	sse_clear(&model->sse);
	free(model);
}

static void add_message(struct model *model, struct str role, struct str text)
{
	frame_open_element(&model->frame);
	frame_string(&model->frame, "role", role);
	frame_string(&model->frame, "content", text);
	frame_close(&model->frame);
}

void model_begin(struct model *model, const struct model_options *options)
{
	struct frame *frame = &model->frame;

	buf_reset(&model->request);
	buf_reset(&model->reason);
	buf_reset(&model->refusal);
	sse_clear(&model->sse);
	sse_init(&model->sse, EVENT_CAP);
	utf8_joiner_init(&model->joiner);
	model->tokens_in = model->tokens_out = -1;
	model->cause[0] = '\0';
	model->done = model->too_long = false;

	frame_begin(frame, &model->request, FRAME_JSON);
	frame_string(frame, "model",
		     options->name.p ? options->name : str_from(model->default_name));
	if (options->temperature.p)
		frame_raw(frame, "temperature", options->temperature);
	if (options->max_tokens)
		frame_integer(frame, "max_tokens", options->max_tokens);
	frame_boolean(frame, "stream", true);
	frame_open(frame, "stream_options");
	frame_boolean(frame, "include_usage", true);
	frame_close(frame);
	frame_open_array(frame, "messages");
	if (options->system.n)
		add_message(model, STR("system"), options->system);
}

void model_message(struct model *model, bool assistant, struct str text)
{
	add_message(model, assistant ? STR("assistant") : STR("user"), text);
}

enum status model_start(struct model *model, int64_t deadline, struct stage *stage)
{
	frame_close_array(&model->frame);
	frame_end(&model->frame);
	if (buf_check(&model->request))
		return STATUS_NOMEM;
	return upstream_post(model->upstream, buf_view(&model->request), deadline, stage);
}

static enum status fail(struct model *model, enum status status, const char *cause)
{
	snprintf(model->cause, sizeof(model->cause), "%s", cause);
	return status;
}

static const char no_memory[] = "no memory for an event of the model's server";

/* What the joiner let through goes up as one delta. */
static enum status pass_text(struct model *model)
{
	if (buf_check(&model->text))
		return fail(model, STATUS_NOMEM, "a delta is too long");
	if (model->text.len == 0)
		return STATUS_OK;
	return model->sink(model->sink_context, buf_view(&model->text));
}

static enum status take_content(struct model *model, struct json_node content)
{
	struct str piece;
	size_t i;

	buf_reset(&model->text);
	if (json_get_string(content, &piece))
		utf8_joiner_feed(&model->joiner, piece, &model->text);
	/* Parts (Mistral): the text parts are the answer, thinking is not. */
	for (i = 0; i < json_length(content); i++) {
		struct json_node part = json_element(content, i);
		struct str type;

		if (json_get_string(json_member(part, "type"), &type) &&
		    str_equal(type, STR("text")) &&
		    json_get_string(json_member(part, "text"), &piece))
			utf8_joiner_feed(&model->joiner, piece, &model->text);
	}
	return pass_text(model);
}

static enum status end_content(struct model *model)
{
	buf_reset(&model->text);
	utf8_joiner_end(&model->joiner, &model->text);
	return pass_text(model);
}

/* Only index 0 counts, wherever it stands; a choice without an index is the only one. */
static struct json_node first_choice(struct json_node choices)
{
	size_t i;

	for (i = 0; i < json_length(choices); i++) {
		struct json_node choice = json_element(choices, i);
		int64_t index = 0;

		(void)json_get_integer(json_member(choice, "index"), &index);
		if (index == 0)
			return choice;
	}
	return (struct json_node){ NULL };
}

/* A count the database could not hold is unknown: it must not keep the answer from being stored. */
static void take_count(struct json_node node, int64_t *count)
{
	int64_t said;

	if (json_get_integer(node, &said) && said >= 0 && said <= INT32_MAX)
		*count = said;
}

static void take_usage(struct model *model, struct json_node usage)
{
	take_count(json_member(usage, "prompt_tokens"), &model->tokens_in);
	take_count(json_member(usage, "completion_tokens"), &model->tokens_out);
}

/* So for a reason that is no short word. Some servers send "" with every delta: none. */
static void take_reason(struct model *model, struct str reason)
{
	size_t i;

	if (!reason.n)
		return;
	for (i = 0; i < reason.n; i++)
		if (reason.p[i] <= ' ' || reason.p[i] > '~')
			break;
	buf_reset(&model->reason);
	buf_str(&model->reason, i == reason.n && reason.n <= REASON_CAP ? reason : STR("other"));
}

static enum status take_chunk(struct model *model, struct json_node chunk)
{
	struct json_node choice = first_choice(json_member(chunk, "choices"));
	struct json_node content = json_member(json_member(choice, "delta"), "content");
	enum status status;
	struct str reason;

	if (json_type(json_member(chunk, "error")) != JSON_ABSENT)
		return fail(model, STATUS_REFUSED,
			    "the model's server sent an error in its stream");
	take_usage(model, json_member(chunk, "usage"));
	/* A plain answer to a streaming request has a message instead of deltas. */
	if (json_type(json_member(choice, "delta")) == JSON_ABSENT)
		content = json_member(json_member(choice, "message"), "content");
	status = take_content(model, content);
	if (status)
		return status;
	if (json_get_string(json_member(choice, "finish_reason"), &reason)) {
		take_reason(model, reason);
		if (buf_check(&model->reason))
			return fail(model, STATUS_NOMEM, no_memory);
		if (str_equal(reason, STR("error")) || str_equal(reason, STR("abort")))
			return fail(model, STATUS_REFUSED, "the model's server gave up its answer");
	}
	return STATUS_OK;
}

static enum status on_event(void *context, struct str type, struct str data)
{
	struct model *model = context;
	struct json *json = NULL;
	enum status status;

	if (model->done)
		return STATUS_OK;
	if (str_equal(data, STR("[DONE]"))) {
		model->done = true;
		return STATUS_OK;
	}
	if (str_equal(type, STR("error"))) {
		model->too_long = model_refusal_too_long(200, data);
		return fail(model, STATUS_REFUSED, "the model's server sent an error event");
	}
	status = json_parse_loose(data, &json);
	if (status)
		return fail(model, status,
			    status == STATUS_NOMEM
				    ? no_memory
				    : "the model's server sent an event that is no JSON object");
	status = take_chunk(model, json_root(json));
	if (status == STATUS_REFUSED)
		model->too_long = model_refusal_too_long(200, data);
	json_free(json);
	return status;
}

/* The answer ended as HTTP does: was it whole? */
static enum status end_of_answer(struct model *model, bool *ended)
{
	enum status status = sse_end(&model->sse, on_event, model);

	if (status)
		return status;
	if (!model->done && model->reason.len == 0)
		return fail(model, STATUS_UNAVAILABLE, "the model's answer ended in the middle");
	*ended = true;
	return end_content(model);
}

/* An answer that is an HTTP error: read on where its body may tell more, else it is refused. */
static enum status take_refusal(struct model *model, int http, const struct upstream_piece *piece,
				enum status status)
{
	struct str bytes = piece->bytes;
	size_t room = MODEL_REFUSAL_CAP - model->refusal.len;

	if (status == STATUS_CLOSED || status == STATUS_STOPPED)
		return fail(model, status, upstream_cause(model->upstream));
	if (model_refusal_readable(http)) {
		if (bytes.n < room && status == STATUS_OK && !piece->ended) {
			buf_str(&model->refusal, bytes);
			return buf_check(&model->refusal);
		}
		buf_append(&model->refusal, bytes.p, bytes.n < room ? bytes.n : room);
		model->too_long = model_refusal_too_long(http, buf_view(&model->refusal));
	}
	snprintf(model->cause, sizeof(model->cause),
		 model->too_long ? "the messages are too long for the model (HTTP status %d)"
				 : "the model's server answered with HTTP status %d",
		 http);
	return STATUS_REFUSED;
}

enum status model_next(struct model *model, struct wait *wait, int64_t wake_at, model_text_fn text,
		       void *context, bool *ended)
{
	struct upstream_piece piece;
	enum status status, parsed = STATUS_OK;
	int http;

	*ended = false;
	model->sink = text;
	model->sink_context = context;
	status = upstream_next(model->upstream, wait, wake_at, &piece);
	http = upstream_http_status(model->upstream);
	if (http != 200 && (piece.bytes.n || piece.ended || model->refusal.len))
		return take_refusal(model, http, &piece, status);
	if (piece.bytes.n)
		parsed = sse_feed(&model->sse, piece.bytes, on_event, model);
	if (parsed)
		return model->cause[0] || parsed != STATUS_NOMEM
			       ? parsed
			       : fail(model, parsed,
				      "the model's server sent an event that is too long");
	if (model->done) {
		*ended = true;
		return end_content(model);
	}
	if (status)
		return fail(model, status, upstream_cause(model->upstream));
	return piece.ended ? end_of_answer(model, ended) : STATUS_OK;
}

void model_stop(struct model *model)
{
	upstream_stop(model->upstream);
}

struct str model_finish_reason(const struct model *model)
{
	return model->reason.len ? buf_view(&model->reason) : STR_NONE;
}

int64_t model_tokens_in(const struct model *model)
{
	return model->tokens_in;
}

int64_t model_tokens_out(const struct model *model)
{
	return model->tokens_out;
}

bool model_too_long(const struct model *model)
{
	return model->too_long;
}

const char *model_cause(const struct model *model)
{
	return model->cause;
}
