/*
 * Requests. One that leaves a member out is made anew, with the same messages: what is asked stays
 * the same.
 */
#include "chat/model_request.h"

#include <stdio.h>
#include <string.h>

#include "base/hot.h"
#include "wire/json_span.h"

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

static void put(struct model_request *request, enum model_member member, struct str json)
{
	frame_raw(&request->frame, model_members_name(request->members, member).p, json);
	request->sent |= 1u << member;
}

/* A value, which is known by its text; false: there is none, or the server does not take it. */
static bool keep_value(struct model_request *request, enum model_member member, struct str value,
		       char text[MODEL_VALUE_SIZE])
{
	text[0] = '\0';
	if (value.n < MODEL_VALUE_SIZE)
		snprintf(text, MODEL_VALUE_SIZE, "%.*s", STR_ARGS(value));
	return value.p && model_members_takes(request->members, model_of(request), member, value);
}

static void put_temperature(struct model_request *request, const struct model_options *options,
			    unsigned without)
{
	struct str value = options->temperature;

	if (!value.p)
		value = str_from(request->members->temperature);
	if (keep_value(request, MODEL_TEMPERATURE, value, request->temperature) &&
	    !says(without, MODEL_TEMPERATURE))
		put(request, MODEL_TEMPERATURE, value);
}

/* Without max_tokens it goes by its newer name; without that, too, there is none. */
static void put_limit(struct model_request *request, const struct model_options *options,
		      unsigned without)
{
	struct str value = str_from(request->members->limit);
	char number[MODEL_VALUE_SIZE];

	if (options->max_tokens) {
		snprintf(number, sizeof(number), "%lld", (long long)options->max_tokens);
		value = str_from(number);
	}
	if (keep_value(request, MODEL_MAX_TOKENS, value, request->limit) &&
	    !says(without, MODEL_MAX_COMPLETION_TOKENS))
		put(request,
		    request->members->newer_limit || says(without, MODEL_MAX_TOKENS)
			    ? MODEL_MAX_COMPLETION_TOKENS
			    : MODEL_MAX_TOKENS,
		    value);
}

static void put_extra(struct model_request *request, unsigned without)
{
	struct str left = buf_view(&request->members->extra), name, member;
	int i;

	for (i = MODEL_EXTRA; json_span_take(&left, &name, &member); i++) {
		if (i < MODEL_MEMBERS && says(without, (enum model_member)i))
			continue;
		buf_str(&request->body, member);
		if (i < MODEL_MEMBERS)
			request->sent |= 1u << i;
	}
}

void model_request_begin(struct model_request *request, struct model_members *members,
			 const struct model_options *options)
{
	struct frame *frame = &request->frame;
	unsigned without;

	buf_reset(&request->body);
	request->members = members;
	request->sent = 0;
	request->without = options->without;
	frame_begin(frame, &request->body, FRAME_JSON);
	frame_string(frame, "model", options->name);
	request->model_n = request->body.len;
	without = model_members_refused(members, model_of(request)) | options->without.members;
	put_temperature(request, options, without);
	put_limit(request, options, without);
	frame_boolean(frame, "stream", !says(without, MODEL_STREAMED));
	if (!says(without, MODEL_STREAMED)) {
		request->sent |= 1u << MODEL_STREAMED;
		if (!says(without, MODEL_STREAM_OPTIONS))
			put(request, MODEL_STREAM_OPTIONS, STR("{\"include_usage\":true}"));
	}
	put_extra(request, without);
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

void model_request_names(const struct model_request *request, struct str names[MODEL_MEMBERS])
{
	int i;

	for (i = 0; i < MODEL_MEMBERS; i++)
		names[i] = says(request->sent, (enum model_member)i)
				   ? model_members_name(request->members, (enum model_member)i)
				   : STR_NONE;
}

struct model_refused model_request_refused(const struct model_request *request,
					   const struct model_refusal *refusal)
{
	const unsigned values = 1u << MODEL_TEMPERATURE | 1u << MODEL_MAX_TOKENS |
				1u << MODEL_MAX_COMPLETION_TOKENS;
	struct model_refused refused = { .members = refusal->members & request->sent };

	if (says(refused.members, MODEL_MAX_TOKENS) && !refusal->renamed)
		refused.members |= 1u << MODEL_MAX_COMPLETION_TOKENS;
	/* Others have but one value, so it does not matter which of the two it was. */
	if (!refusal->unknown)
		refused.values = refused.members & values;
	return refused;
}

HOT void model_request_taken(struct model_request *request)
{
	const unsigned limits = 1u << MODEL_MAX_TOKENS | 1u << MODEL_MAX_COMPLETION_TOKENS;
	struct model_refused learned = request->without;
	struct str model;

	if (!learned.members) /* nearly always, and this is asked with each piece */
		return;
	model = model_of(request);
	request->without = (struct model_refused){ .members = 0 };
	model_members_learn(request->members, model, learned.members & ~learned.values);
	if (says(learned.values, MODEL_TEMPERATURE) && request->temperature[0])
		model_members_learn_value(request->members, model, MODEL_TEMPERATURE,
					  str_from(request->temperature));
	if (learned.values & limits && request->limit[0])
		model_members_learn_value(request->members, model, MODEL_MAX_TOKENS,
					  str_from(request->limit));
}
