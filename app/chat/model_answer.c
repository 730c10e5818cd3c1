/*
 * Deltas in.  What the protocol's members mean is OpenAI's API reference, "chat completion chunk
 * object"; where servers differ from it, the difference is named here.  A server's error texts go
 * nowhere: some quote the prompt.
 */
#include "chat/model_answer.h"

#include <string.h>

#include "chat/model_refusal.h"
#include "wire/json.h"

#define EVENT_CAP (4 << 20) /* extra members can be large: logprobs, citations */
#define REASON_CAP 64

void model_answer_init(struct model_answer *answer)
{
	*answer = (struct model_answer){ .cause = NULL };
	buf_init(&answer->plain, EVENT_CAP);
	buf_init(&answer->text, EVENT_CAP * 3);
	buf_init(&answer->reason, REASON_CAP);
	buf_init(&answer->refusal, MODEL_REFUSAL_CAP);
	sse_init(&answer->sse, EVENT_CAP);
	model_answer_reset(answer);
}

void model_answer_clear(struct model_answer *answer)
{
	buf_wipe(&answer->plain);
	buf_wipe(&answer->text);
	buf_clear(&answer->reason);
	buf_wipe(&answer->refusal);
	sse_clear(&answer->sse);
}

void model_answer_reset(struct model_answer *answer)
{
	buf_reset(&answer->plain);
	buf_reset(&answer->reason);
	buf_wipe(&answer->refusal);
	sse_clear(&answer->sse);
	utf8_joiner_init(&answer->joiner);
	answer->shape = MODEL_UNSEEN;
	answer->tokens_in = answer->tokens_out = -1;
	answer->cause = NULL;
	answer->done = answer->spoke = answer->too_long = false;
}

static enum status fail(struct model_answer *answer, enum status status, const char *cause)
{
	answer->cause = cause;
	return status;
}

/* ... since its server said that it did, in these words. */
static enum status refuse(struct model_answer *answer, struct str words, const char *cause)
{
	if (words.n > MODEL_REFUSAL_CAP)
		words.n = MODEL_REFUSAL_CAP;
	buf_str(&answer->refusal, words);
	answer->too_long = model_refusal_too_long(200, words);
	return fail(answer, STATUS_REFUSED, cause);
}

static const char no_memory[] = "no memory for an event of the model's server";

/* What the joiner let through goes up as one delta. */
static enum status pass_text(struct model_answer *answer)
{
	if (buf_check(&answer->text))
		return fail(answer, STATUS_NOMEM, "a delta is too long");
	if (answer->text.len == 0)
		return STATUS_OK;
	return answer->sink(answer->sink_context, buf_view(&answer->text));
}

static enum status take_content(struct model_answer *answer, struct json_node content)
{
	struct str piece;
	size_t i;

	buf_reset(&answer->text);
	if (json_get_string(content, &piece))
		utf8_joiner_feed(&answer->joiner, piece, &answer->text);
	/* Parts (Mistral): the text parts are the answer, thinking is not. */
	for (i = 0; i < json_length(content); i++) {
		struct json_node part = json_element(content, i);
		struct str type;

		if (json_get_string(json_member(part, "type"), &type) &&
		    str_equal(type, STR("text")) &&
		    json_get_string(json_member(part, "text"), &piece))
			utf8_joiner_feed(&answer->joiner, piece, &answer->text);
	}
	return pass_text(answer);
}

static enum status end_content(struct model_answer *answer)
{
	buf_reset(&answer->text);
	utf8_joiner_end(&answer->joiner, &answer->text);
	return pass_text(answer);
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

static void take_usage(struct model_answer *answer, struct json_node usage)
{
	take_count(json_member(usage, "prompt_tokens"), &answer->tokens_in);
	take_count(json_member(usage, "completion_tokens"), &answer->tokens_out);
}

/* So for a reason that is no short word. Some servers send "" with every delta: none. */
static enum status take_reason(struct model_answer *answer, struct str reason)
{
	size_t i;

	if (!reason.n)
		return STATUS_OK;
	for (i = 0; i < reason.n; i++)
		if (reason.p[i] <= ' ' || reason.p[i] > '~')
			break;
	buf_reset(&answer->reason);
	buf_str(&answer->reason, i == reason.n && reason.n <= REASON_CAP ? reason : STR("other"));
	if (buf_check(&answer->reason))
		return fail(answer, STATUS_NOMEM, no_memory);
	if (str_equal(reason, STR("error")) || str_equal(reason, STR("abort")))
		return refuse(answer, reason, "the model's server gave up its answer");
	return STATUS_OK;
}

/* {"error": …}, or vLLM's {"object":"error", …}. */
static bool is_error(struct json_node chunk)
{
	struct str object;

	return json_type_of(json_member(chunk, "error")) != JSON_ABSENT ||
	       (json_get_string(json_member(chunk, "object"), &object) &&
		str_equal(object, STR("error")));
}

static enum status take_chunk(struct model_answer *answer, struct json_node chunk, struct str text)
{
	struct json_node choice = first_choice(json_member(chunk, "choices"));
	struct json_node delta = json_member(choice, "delta");
	enum status status;
	struct str reason;

	if (is_error(chunk))
		return refuse(answer, text,
			      answer->shape == MODEL_PLAIN
				      ? "the model's server answered with an error"
				      : "the model's server sent an error in its stream");
	take_usage(answer, json_member(chunk, "usage"));
	if (json_type_of(delta) != JSON_ABSENT) {
		status = take_content(answer, json_member(delta, "content"));
		answer->spoke |= answer->text.len > 0;
	} else if (!answer->spoke) {
		/* A plain answer. Beside or behind deltas (Perplexity) it is all of them again. */
		status = take_content(answer,
				      json_member(json_member(choice, "message"), "content"));
	} else {
		status = STATUS_OK;
	}
	if (status == STATUS_OK && json_get_string(json_member(choice, "finish_reason"), &reason))
		status = take_reason(answer, reason);
	return status;
}

static enum status take_json(struct model_answer *answer, struct str text)
{
	const char *bad = answer->shape == MODEL_PLAIN
				  ? "the model's server sent an answer that is no JSON object"
				  : "the model's server sent an event that is no JSON object";
	struct json *json = NULL;
	enum status status;

	status = json_parse_loose(text, &json);
	if (status)
		return fail(answer, status, status == STATUS_NOMEM ? no_memory : bad);
	status = take_chunk(answer, json_root(json), text);
	json_free(json);
	return status;
}

static enum status on_event(void *context, struct str type, struct str data)
{
	struct model_answer *answer = context;

	data = str_trim(data, STR_SPACE);
	if (answer->done || !data.n) /* some keep the connection alive with empty events */
		return STATUS_OK;
	if (str_equal(data, STR("[DONE]"))) {
		answer->done = true;
		return STATUS_OK;
	}
	if (str_equal(type, STR("error")))
		return refuse(answer, data, "the model's server sent an error event");
	return take_json(answer, data);
}

/*
 * Content-Type is not asked: servers and the proxies before them say what they like. No event
 * begins with a brace, and no object with anything else but white space (or a BOM).
 */
static void see_shape(struct model_answer *answer, struct str bytes)
{
	while (bytes.n && *bytes.p && strchr(" \t\r\n\xef\xbb\xbf", *bytes.p))
		bytes = str_skip(bytes, 1);
	if (bytes.n)
		answer->shape = *bytes.p == '{' ? MODEL_PLAIN : MODEL_STREAM;
}

/* What no other place has named. */
static enum status explain(struct model_answer *answer, enum status status)
{
	if (status == STATUS_NOMEM && !answer->cause)
		answer->cause = "the model's server sent an event that is too long";
	return status;
}

enum status model_answer_feed(struct model_answer *answer, struct str bytes, model_text_fn sink,
			      void *context)
{
	enum status status;

	answer->sink = sink;
	answer->sink_context = context;
	if (answer->shape == MODEL_UNSEEN)
		see_shape(answer, bytes);
	if (answer->shape == MODEL_PLAIN) {
		buf_str(&answer->plain, bytes);
		status = buf_check(&answer->plain);
	} else {
		status = sse_feed(&answer->sse, bytes, on_event, answer);
	}
	return explain(answer, status);
}

bool model_answer_done(const struct model_answer *answer)
{
	return answer->done;
}

bool model_answer_finished(const struct model_answer *answer)
{
	return answer->reason.len > 0;
}

struct str model_answer_refusal(const struct model_answer *answer)
{
	return buf_view(&answer->refusal);
}

enum status model_answer_end(struct model_answer *answer, bool cut, model_text_fn sink,
			     void *context)
{
	enum status status = STATUS_OK;

	answer->sink = sink;
	answer->sink_context = context;
	if (answer->done)
		return end_content(answer);
	if (answer->shape == MODEL_PLAIN) {
		struct str text = buf_view(&answer->plain);

		while (text.n && *text.p != '{') /* a BOM */
			text = str_skip(text, 1);
		status = take_json(answer, text);
		answer->done = true;
	} else if (!cut) {
		status = sse_end(&answer->sse, on_event, answer);
	}
	if (status)
		return explain(answer, status);
	if (!answer->done && !model_answer_finished(answer))
		return fail(answer, STATUS_UNAVAILABLE, "the model's answer ended in the middle");
	return end_content(answer);
}
