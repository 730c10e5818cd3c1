/*
 * OpenAI's chat completions: conversations that the client keeps, or names, JSON or SSE. What such a
 * client may send is more than we read: what is not read is ignored, as its own server ignores it.
 */
#include "http/openai.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/hot.h"
#include "chat/completion.h"
#include "http/bearer.h"
#include "http/exchange.h"
#include "http/headless.h"
#include "http/request.h"
#include "http/talks.h"
#include "wire/utf8.h"

/* A model's name in JSON that is longer is not said again. */
#define MODEL_ECHO 96

struct completion {
	int64_t created;
	bool usage; /* is asked for */
	unsigned model_n, head_n;
	char model[MODEL_ECHO];	     /* in JSON */
	char head[MODEL_ECHO + 160]; /* of each event, up to its delta's members */
};
_Static_assert(sizeof(struct completion) <= DIALECT_STATE, "it does not fit");

static const struct {
	const char *text, *type, *param, *code; /* NULL: null */
} words[ERROR_COUNT] = {
	[ERROR_NOT_FOUND] = { "Unknown request URL", "invalid_request_error", NULL, "unknown_url" },
	[ERROR_METHOD] = { "Method not allowed", "invalid_request_error", NULL,
			   "method_not_supported" },
	[ERROR_TOO_MANY] = { "Rate limit exceeded", "requests", NULL, "rate_limit_exceeded" },
	[ERROR_UNAUTHORIZED] = { "Incorrect API key provided", "invalid_request_error", NULL,
				 "invalid_api_key" },
	[ERROR_NO_KEY] = { "You didn't provide an API key", "invalid_request_error", NULL,
			   "invalid_api_key" },
	[ERROR_MALFORMED_KEY] = { "You didn't provide an API key", "invalid_request_error", NULL,
				  "invalid_api_key" },
	[ERROR_FORBIDDEN] = { "Forbidden", "invalid_request_error", NULL, "forbidden" },
	[ERROR_NO_VISITOR] = { "Unknown visitor", "invalid_request_error", NULL,
			       "unknown_visitor" },
	[ERROR_INVALID] = { "Invalid request payload", "invalid_request_error", NULL,
			    "invalid_request" },
	[ERROR_KEY_REUSED] = { "Idempotency key reused with another request",
			       "invalid_request_error", NULL, "idempotency_key_reused" },
	[ERROR_IN_PROGRESS] = { "A request with this idempotency key is in progress",
				"invalid_request_error", NULL, "request_in_progress" },
	[ERROR_CHATBOT_NOT_FOUND] = { "The model does not exist or you do not have access to it",
				      "invalid_request_error", "model", "model_not_found" },
	[ERROR_CONVERSATION_NOT_FOUND] = { "Conversation not found", "invalid_request_error", NULL,
					   "conversation_not_found" },
	[ERROR_NO_CREDIT] = { "You exceeded your current quota", "insufficient_quota", NULL,
			      "insufficient_quota" },
	[ERROR_INTERNAL] = { "Internal server error", "server_error", NULL, NULL },
	[ERROR_UNAVAILABLE] = { "Service unavailable", "server_error", NULL,
				"service_unavailable" },
};

/* OpenAI's own has none for a lack of credits. */
static int status_of(enum http_error error)
{
	return error == ERROR_NO_CREDIT ? 429 : error_status(error);
}

static void read_model(struct exchange *exchange, struct completion *completion)
{
	struct str model = exchange_chatbot(exchange_text(exchange, "model"));
	struct buf quoted;

	if (!model.p) {
		exchange->bad = true;
		return;
	}
	exchange->turn.begin.chatbot = model;
	exchange->turn.begin.completion = true;
	buf_init_in(&quoted, completion->model, MODEL_ECHO, MODEL_ECHO - 1);
	frame_quote(&quoted, model);
	if (buf_check(&quoted)) {
		buf_undo(&quoted, 0);
		buf_puts(&quoted, "\"banter\"");
	}
	completion->model_n = (unsigned)quoted.len;
}

/* Where a client names its conversation, we keep it; else it does. */
static void read_conversation(struct exchange *exchange)
{
	const struct request *request = exchange->request;
	struct str name = request_header(request, "HTTP_X_CONVERSATION_ID");

	if (!name.p)
		name = request_header(request, "HTTP_X_OPENWEBUI_CHAT_ID");
	if (name.p)
		headless_take_session(exchange, name);
}

static void read_members(struct exchange *exchange, const struct route_match *match)
{
	struct completion *completion = (struct completion *)exchange->state;
	struct json_node stream = exchange_member(exchange, "stream");
	bool on = false;
	size_t chars = 0;
	enum status read;

	(void)match;
	completion->created = clock_wall_ms() / 1000;
	read_model(exchange, completion);
	read_conversation(exchange);
	if (!json_get_boolean(stream, &on) && json_type_of(stream) != JSON_ABSENT)
		exchange->bad = true;
	exchange->turn.begin.stream = on;
	if (json_get_boolean(
		    json_member(exchange_member(exchange, "stream_options"), "include_usage"), &on))
		completion->usage = on;
	read = completion_read(exchange_member(exchange, "messages"), &exchange->said);
	exchange->bad |= read != STATUS_OK;
	exchange->failed |= read == STATUS_NOMEM;
	(void)utf8_valid(exchange->said.message, &chars);
	if ((int64_t)chars > exchange->context->config->history_chars)
		exchange->bad = true;
	exchange->turn.begin.message = exchange->said.message;
	exchange->turn.begin.system = exchange->said.system;
	/* A conversation that we keep has a history of ours. */
	if (!exchange->turn.begin.session.p) {
		exchange->turn.said = exchange->said.messages;
		exchange->turn.said_count = exchange->said.count;
	}
}

static const char *reason_of(struct str reason)
{
	return str_equal(reason, STR("length"))		  ? "length"
	       : str_equal(reason, STR("content_filter")) ? "content_filter"
							  : "stop";
}

static void put_null(struct frame *frame, const char *name)
{
	frame_raw(frame, name, STR("null"));
}

/* If the model's server said how much it was. */
static bool has_usage(const struct event *event)
{
	return event->tokens_in >= 0 && event->tokens_out >= 0;
}

static void put_usage(struct frame *frame, const struct event *event)
{
	frame_open(frame, "usage");
	frame_integer(frame, "prompt_tokens", event->tokens_in);
	frame_integer(frame, "completion_tokens", event->tokens_out);
	frame_integer(frame, "total_tokens", event->tokens_in + event->tokens_out);
	frame_close(frame);
}

static void begin_object(struct frame *frame, const struct completion *completion,
			 const char *object, struct str id)
{
	char text[64];

	snprintf(text, sizeof(text), "chatcmpl-%.*s", STR_ARGS(id));
	frame_string(frame, "id", str_from(text));
	frame_string(frame, "object", str_from(object));
	frame_integer(frame, "created", completion->created);
	frame_raw(frame, "model", (struct str){ completion->model, completion->model_n });
}

#define CHUNK "chat.completion.chunk"

/* What is the same in each event is made once. */
static void make_head(struct completion *completion, struct str id)
{
	struct frame frame;
	struct buf head;

	buf_init_in(&head, completion->head, sizeof(completion->head),
		    sizeof(completion->head) - 1);
	frame_begin(&frame, &head, FRAME_SSE);
	begin_object(&frame, completion, CHUNK, id);
	buf_puts(&head, ",\"choices\":[{\"index\":0,\"delta\":{");
	completion->head_n = (unsigned)head.len;
}

static HOT void put_delta(struct buf *out, const struct completion *completion, const char *members,
			  struct str text, const char *reason)
{
	buf_append(out, completion->head, completion->head_n);
	buf_puts(out, members);
	if (text.p)
		frame_quote(out, text);
	buf_puts(out, "},\"logprobs\":null,\"finish_reason\":");
	buf_puts(out, reason ? "\"" : "null");
	if (reason) {
		buf_puts(out, reason);
		buf_puts(out, "\"");
	}
	buf_puts(out, "}]}\n\n");
}

static void put_end(struct buf *out, const struct completion *completion, const struct event *event)
{
	struct frame frame;

	put_delta(out, completion, "", STR_NONE, reason_of(event->finish_reason));
	if (completion->usage && has_usage(event)) {
		frame_begin(&frame, out, FRAME_SSE);
		begin_object(&frame, completion, CHUNK, event->message_id);
		frame_open_array(&frame, "choices");
		frame_close_array(&frame);
		put_usage(&frame, event);
		frame_end(&frame);
	}
	buf_puts(out, "data: [DONE]\n\n");
}

static void put_words(struct frame *frame, enum http_error error)
{
	const char *const values[] = { words[error].type, words[error].param, words[error].code };
	static const char *const names[] = { "type", "param", "code" };
	size_t i;

	frame_open(frame, "error");
	frame_string(frame, "message", str_from(words[error].text));
	for (i = 0; i < COUNT(names); i++) {
		if (values[i])
			frame_string(frame, names[i], str_from(values[i]));
		else
			put_null(frame, names[i]);
	}
	frame_close(frame);
}

static HOT void put_event(struct buf *out, void *state, const struct event *event)
{
	struct completion *completion = state;
	struct frame frame;

	switch (event->kind) {
	case EVENT_START:
		make_head(completion, event->message_id);
		put_delta(out, completion, "\"role\":\"assistant\",\"content\":\"\"", STR_NONE,
			  NULL);
		break;
	case EVENT_TOKEN:
		put_delta(out, completion, "\"content\":", event->text, NULL);
		break;
	case EVENT_DONE:
		put_end(out, completion, event);
		break;
	case EVENT_ERROR:
		frame_begin(&frame, out, FRAME_SSE);
		put_words(&frame, ERROR_INTERNAL);
		frame_end(&frame);
		break;
	}
}

static void put_answer(struct buf *out, void *state, const struct event *event)
{
	const struct completion *completion = state;
	struct frame frame;

	frame_begin(&frame, out, FRAME_JSON);
	begin_object(&frame, completion, "chat.completion", event->message_id);
	frame_open_array(&frame, "choices");
	frame_open_element(&frame);
	frame_integer(&frame, "index", 0);
	frame_open(&frame, "message");
	frame_string(&frame, "role", STR("assistant"));
	frame_string(&frame, "content", event->text);
	put_null(&frame, "refusal");
	frame_close(&frame);
	put_null(&frame, "logprobs");
	frame_string(&frame, "finish_reason", str_from(reason_of(event->finish_reason)));
	frame_close(&frame);
	frame_close_array(&frame);
	if (has_usage(event))
		put_usage(&frame, event);
	frame_end(&frame);
}

static void put_error(struct buf *out, enum http_error error, int64_t retry_s)
{
	struct frame frame;

	(void)retry_s;
	frame_begin(&frame, out, FRAME_JSON);
	put_words(&frame, error);
	frame_end(&frame);
}

void openai_serve_models(struct http_context *context, struct request *request, struct reply *reply,
			 const struct route_match *match)
{
	struct talks_read read;
	enum status status;
	struct key key;

	if (!exchange_admit(context, request, reply, match, &key))
		return;
	status = talks_models(context->db, context->wait, context->config, &key, &read);
	talks_say(context, request, reply, status, &read);
	talks_read_clear(&read);
}

const struct dialect dialect_openai = {
	.name = "openai",
	.long_bodies = true,
	.keys = KEY_SET(KEY_WORKSPACE),
	.read_key = bearer_read,
	.read = read_members,
	.limits = 0,
	.says_how = true,
	.stream_type = "text/event-stream",
	.put_event = put_event,
	.beat = FRAME_SSE_BEAT,
	.answer_type = "application/json",
	.put_answer = put_answer,
	.error_type = "application/json",
	.status = status_of,
	.put_error = put_error,
};
