/*
 * Requests. Members are cut out of a body that is made, not made anew without them: what was asked
 * stays the same.
 */
#include "chat/model_request.h"

#include <stdio.h>
#include <string.h>

#define REQUEST_CAP (16 << 20)

static bool says(unsigned set, enum model_member member)
{
	return set & 1u << member;
}

void model_request_init(struct model_request *request)
{
	*request = (struct model_request){ .model_n = 0 };
	buf_init(&request->body, REQUEST_CAP);
}

void model_request_clear(struct model_request *request)
{
	buf_wipe(&request->body);
	*request = (struct model_request){ .model_n = 0 };
}

/* As it stands in the body; empty where memory for it failed. */
static struct str model_of(const struct model_request *request)
{
	const size_t before = sizeof("{\"model\":") - 1;
	struct str begun = { buf_text(&request->body), request->model_n };

	return begun.n > before ? str_skip(begun, before) : STR("");
}

static void put_raw(struct model_request *request, enum model_member member, struct str json)
{
	struct model_span *span = &request->sent[member];

	span->at = request->body.len;
	frame_raw(&request->frame, model_member_name(member), json);
	span->n = request->body.len - span->at;
}

static void put_limit(struct model_request *request)
{
	put_raw(request,
		request->members->newer_limit || says(request->without, MODEL_MAX_TOKENS)
			? MODEL_MAX_COMPLETION_TOKENS
			: MODEL_MAX_TOKENS,
		request->limit);
}

/* What may be left out. The first member is always the model: these have a comma before them. */
static void put_members(struct model_request *request, const struct model_options *options)
{
	struct str temperature = options->temperature;

	if (!temperature.p)
		temperature = str_from(request->members->temperature);
	request->limit = str_from(request->members->limit);
	if (options->max_tokens) {
		snprintf(request->number, sizeof(request->number), "%lld",
			 (long long)options->max_tokens);
		request->limit = str_from(request->number);
	}
	memset(request->sent, 0, sizeof(request->sent));
	if (temperature.p && !says(request->without, MODEL_TEMPERATURE))
		put_raw(request, MODEL_TEMPERATURE, temperature);
	if (request->limit.p && !says(request->without, MODEL_MAX_COMPLETION_TOKENS))
		put_limit(request);
	frame_boolean(&request->frame, "stream", true);
	if (!says(request->without, MODEL_STREAM_OPTIONS))
		put_raw(request, MODEL_STREAM_OPTIONS, STR("{\"include_usage\":true}"));
}

void model_request_begin(struct model_request *request, struct model_members *members,
			 const struct model_options *options)
{
	struct frame *frame = &request->frame;

	buf_reset(&request->body);
	request->members = members;
	frame_begin(frame, &request->body, FRAME_JSON);
	frame_string(frame, "model", options->name);
	request->model_n = request->body.len;
	request->without = model_members_refused(members, model_of(request));
	request->unproven = false;
	put_members(request, options);
	buf_str(&request->body, buf_view(&members->extra));
	frame_open_array(frame, "messages");
}

void model_request_message(struct model_request *request, struct str role, struct str text)
{
	struct frame *frame = &request->frame;

	frame_open_element(frame);
	frame_string(frame, "role", role);
	frame_string(frame, "content", text);
	frame_close(frame);
}

enum status model_request_end(struct model_request *request)
{
	frame_close_array(&request->frame);
	frame_end(&request->frame);
	return buf_check(&request->body);
}

/* Takes a member out of the body; false: it is not in there. */
static bool cut(struct model_request *request, enum model_member member)
{
	struct model_span gone = request->sent[member];
	struct buf *body = &request->body;
	size_t i;

	if (!gone.n)
		return false;
	memmove(body->data + gone.at, body->data + gone.at + gone.n, body->len - gone.at - gone.n);
	buf_truncate(body, body->len - gone.n);
	for (i = 0; i < MODEL_MEMBERS; i++)
		if (request->sent[i].at > gone.at)
			request->sent[i].at -= gone.n;
	request->sent[member].n = 0;
	request->without |= 1u << member;
	return true;
}

enum status model_request_yield(struct model_request *request, unsigned members)
{
	bool newer = says(members, MODEL_MAX_COMPLETION_TOKENS), less = false;
	unsigned limits = 1u << MODEL_MAX_TOKENS | 1u << MODEL_MAX_COMPLETION_TOKENS;

	if (says(members, MODEL_STREAM_OPTIONS))
		less |= cut(request, MODEL_STREAM_OPTIONS);
	if (says(members, MODEL_TEMPERATURE))
		less |= cut(request, MODEL_TEMPERATURE);
	if (members & limits && cut(request, MODEL_MAX_COMPLETION_TOKENS)) {
		less = true;
	} else if (members & limits && cut(request, MODEL_MAX_TOKENS)) {
		less = true;
		if (newer) {
			/* Behind the messages, before the brace that ends it all. */
			buf_truncate(&request->body, request->body.len - 1);
			put_limit(request);
			frame_end(&request->frame);
		} else {
			request->without |= 1u << MODEL_MAX_COMPLETION_TOKENS;
		}
	}
	if (!less)
		return STATUS_REFUSED;
	request->unproven = true;
	return buf_check(&request->body);
}

void model_request_taken(struct model_request *request)
{
	if (request->unproven)
		model_members_learn(request->members, model_of(request), request->without);
	request->unproven = false;
}
