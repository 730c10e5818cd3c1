/*
 * Deltas in, in the order of the stream; what one object says is model_chunk's.  A server's error
 * texts go nowhere: some quote the prompt.
 */
#include "chat/model_answer.h"

#include <string.h>

#include "base/count.h"
#include "base/hot.h"
#include "chat/model_chunk.h"
#include "chat/model_refusal.h"
#include "chat/model_token.h"
#include "wire/json.h"
#include "wire/json_scan.h"

#define EVENT_CAP (4 << 20)   /* extra members can be large: logprobs, citations */
#define DELTA_KEPT (64 << 10) /* for the next answer's */
#define REASON_CAP 64
/* Bytes read for one of text: a delta's frame is 80 times its token, with logprobs 1,000 times. */
#define FRAME_MOST 1024

void model_answer_init(struct model_answer *answer, size_t most)
{
	*answer = (struct model_answer){ .cause = NULL };
	buf_init(&answer->text, EVENT_CAP * 3);
	buf_init(&answer->content, EVENT_CAP);
	buf_init(&answer->reason, REASON_CAP);
	buf_init(&answer->refusal, MODEL_REFUSAL_CAP);
	sse_init_objects(&answer->sse, EVENT_CAP);
	model_reasoning_init(&answer->reasoning, most);
	answer->most = (uint64_t)most * FRAME_MOST;
	model_answer_reset(answer, false);
}

void model_answer_clear(struct model_answer *answer)
{
	buf_wipe(&answer->text);
	buf_wipe(&answer->content);
	buf_clear(&answer->reason);
	buf_wipe(&answer->refusal);
	sse_clear(&answer->sse);
	model_reasoning_clear(&answer->reasoning);
}

void model_answer_reset(struct model_answer *answer, bool several)
{
	buf_reset(&answer->reason);
	buf_wipe(&answer->refusal);
	sse_clear(&answer->sse);
	model_reasoning_reset(&answer->reasoning);
	utf8_joiner_init(&answer->joiner);
	answer->shape = MODEL_UNSEEN;
	answer->tokens_in = answer->tokens_out = answer->tokens_cached = -1;
	answer->cause = NULL;
	answer->came = 0;
	answer->several = several;
	answer->frame.before = 0;
	answer->done = answer->whole = answer->spoke = false;
}

void model_answer_slim(struct model_answer *answer)
{
	buf_slim(&answer->text, DELTA_KEPT);
	buf_slim(&answer->content, DELTA_KEPT);
	sse_clear(&answer->sse);
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
	return fail(answer, STATUS_REFUSED, cause);
}

static const char no_memory[] = "no memory for an event of the model's server";

/* What the joiner let through goes up as one delta, without what is reasoning. */
static HOT enum status pass_text(struct model_answer *answer)
{
	enum status status = buf_check(&answer->text);

	if (status == STATUS_OK)
		status = model_reasoning_feed(&answer->reasoning, buf_view(&answer->text),
					      answer->sink, answer->sink_context);
	return status == STATUS_NOMEM ? fail(answer, status, "a delta is too long") : status;
}

/* True for the reasons of an answer that was not over: the protocol's, Anthropic's and Gemini's. */
static bool at_limit(struct str reason)
{
	return str_equal(reason, STR("length")) || str_same(reason, STR("max_tokens"));
}

static enum status end_content(struct model_answer *answer)
{
	enum status status;

	buf_reset(&answer->text);
	utf8_joiner_end(&answer->joiner, &answer->text);
	status = pass_text(answer);
	if (status)
		return status;
	status = model_reasoning_end(&answer->reasoning, at_limit(buf_view(&answer->reason)),
				     answer->sink, answer->sink_context);
	return status == STATUS_NOMEM
		       ? fail(answer, status, "the answer is longer than BANTER_ANSWER_BYTES")
		       : status;
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
	take_count(model_chunk_cached(usage), &answer->tokens_cached);
}

/* What a chunk said is in answer->text; `came`: it said something. */
static enum status take_text(struct model_answer *answer, bool came)
{
	if (came) /* whatever was said before: that was not the end */
		buf_reset(&answer->reason);
	return pass_text(answer);
}

static enum status take_speech(struct model_answer *answer, struct json_node choice)
{
	struct json_node delta = json_member(choice, "delta");
	bool came;

	buf_reset(&answer->text);
	came = model_chunk_text(delta, &answer->joiner, &answer->text);
	/* A plain answer. Beside or behind deltas (Perplexity) it is all of them again. */
	if (!came && !answer->spoke)
		came = model_chunk_text(json_member(choice, "message"), &answer->joiner,
					&answer->text);
	else
		answer->spoke = true;
	if (answer->shape == MODEL_PLAIN && json_type_of(delta) == JSON_ABSENT) {
		answer->whole = true;
		answer->reasoning.whole = true; /* none of it has gone on */
	}
	return take_text(answer, came);
}

/* What could not be stored, since it is no short word, is "other". */
static enum status take_reason(struct model_answer *answer, struct str reason)
{
	size_t i;

	if (!model_chunk_ends(reason))
		return STATUS_OK;
	for (i = 0; i < reason.n; i++)
		if (reason.p[i] <= ' ' || reason.p[i] > '~')
			break;
	buf_reset(&answer->reason);
	buf_str(&answer->reason, i == reason.n && reason.n <= REASON_CAP ? reason : STR("other"));
	if (buf_check(&answer->reason))
		return fail(answer, STATUS_NOMEM, no_memory);
	if (model_chunk_broke(reason))
		return refuse(answer, reason, "the model's server gave up its answer");
	return STATUS_OK;
}

static enum status take_chunk(struct model_answer *answer, struct json_node chunk, struct str text)
{
	struct json_node choice = model_chunk_choice(chunk, &answer->several);
	bool plain = answer->shape == MODEL_PLAIN;
	enum status status;

	if (model_chunk_failed(chunk, choice, plain))
		return refuse(answer, text,
			      plain ? "the model's server answered with an error"
				    : "the model's server sent an error in its stream");
	take_usage(answer, json_member(chunk, "usage"));
	status = take_speech(answer, choice);
	if (status == STATUS_OK)
		status = take_reason(answer, model_chunk_reason(choice));
	return status;
}

static enum status take_usage_text(struct model_answer *answer, struct str text)
{
	struct json *json = NULL;

	if (json_parse_loose(text, &json)) /* it is valid */
		return fail(answer, STATUS_NOMEM, no_memory);
	take_usage(answer, json_root(json));
	json_free(json);
	return STATUS_OK;
}

/* As take_chunk() would. */
static enum status take_token(struct model_answer *answer, const struct model_token *token)
{
	struct str content = token->content;
	enum status status;

	if (token->usage.p) {
		status = take_usage_text(answer, token->usage);
		if (status)
			return status;
	}
	buf_reset(&answer->text);
	if (token->escaped) {
		buf_reset(&answer->content);
		json_scan_unescape(content, &answer->content);
		if (buf_check(&answer->content))
			return fail(answer, STATUS_NOMEM, no_memory);
		content = buf_view(&answer->content);
	}
	utf8_joiner_feed(&answer->joiner, content, &answer->text);
	answer->spoke |= content.n > 0;
	status = take_text(answer, content.n > 0);
	if (status == STATUS_OK && token->reason.n)
		status = take_reason(answer, token->reason);
	return status;
}

static enum status take_json(struct model_answer *answer, struct str text)
{
	const char *bad = answer->shape == MODEL_PLAIN
				  ? "the model's server sent an answer that is no JSON object"
				  : "the model's server sent an event that is no JSON object";
	struct model_token token;
	struct json *json = NULL;
	enum status status;

	if (answer->shape == MODEL_STREAM &&
	    model_token_read(text, answer->several, &answer->frame, &token))
		return take_token(answer, &token);
	status = json_parse_loose(text, &json);
	if (status)
		return fail(answer, status, status == STATUS_NOMEM ? no_memory : bad);
	status = take_chunk(answer, json_root(json), text);
	json_free(json);
	return status;
}

/* What stands in an error's place where there is none. */
static bool is_padding(struct str data)
{
	static const struct str words[] = {
		{ "null", 4 }, { "false", 5 }, { "{}", 2 }, { "\"\"", 2 }
	};
	size_t i;

	for (i = 0; i < COUNT(words); i++)
		if (str_equal(data, words[i]))
			return true;
	return false;
}

static HOT enum status on_event(void *context, struct str type, struct str data)
{
	struct model_answer *answer = context;

	data = str_trim(data, STR_SPACE);
	while (str_starts(data, STR("data:"))) /* some frame what was framed */
		data = str_trim(str_skip(data, 5), STR_SPACE);
	if (answer->done || !data.n)
		return STATUS_OK;
	if (str_equal(data, STR("[DONE]"))) {
		answer->done = true;
		return STATUS_OK;
	}
	if (str_equal(type, STR("error")) && !is_padding(data))
		return refuse(answer, data, "the model's server sent an error event");
	/* Words keep the connection alive: null, ping, a date. A cut is told by the missing end. */
	return *data.p == '{' ? take_json(answer, data) : STATUS_OK;
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

HOT enum status model_answer_feed(struct model_answer *answer, struct str bytes, model_text_fn sink,
				  void *context)
{
	enum status status;

	answer->came += bytes.n;
	if (answer->came > answer->most)
		return fail(answer, STATUS_INVALID, "the model's answer does not end");
	answer->sink = sink;
	answer->sink_context = context;
	if (answer->shape == MODEL_UNSEEN)
		see_shape(answer, bytes);
	status = sse_feed(&answer->sse, bytes, on_event, answer);
	return explain(answer, status);
}

HOT bool model_answer_done(const struct model_answer *answer)
{
	return answer->done;
}

HOT bool model_answer_finished(const struct model_answer *answer)
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
	if (!cut)
		status = sse_end(&answer->sse, on_event, answer);
	if (status)
		return explain(answer, status);
	if (!answer->done && !answer->whole && !model_answer_finished(answer))
		return fail(answer, STATUS_UNAVAILABLE, "the model's answer ended in the middle");
	return end_content(answer);
}
