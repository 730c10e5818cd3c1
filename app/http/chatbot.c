/*
 * The chatbot API: conversations named by us, JSON or SSE (B1 to B5). Which of the two it is, the
 * body says, or the chatbot's setting. No address counts: a back end calls for many from its own.
 */
#include "http/chatbot.h"

#include "base/hot.h"
#include "http/bearer.h"
#include "http/exchange.h"
#include "http/request.h"
#include "http/route.h"

/* The contract's B1. */
#define METADATA_MAX 16384

static const struct {
	const char *text;
	const char *code;
} words[ERROR_COUNT] = {
	[ERROR_NOT_FOUND] = { "No such path", "NOT_FOUND" },
	[ERROR_METHOD] = { "Method not allowed", "METHOD_NOT_ALLOWED" },
	[ERROR_TOO_MANY] = { "Rate limit exceeded. Please wait before sending another message.",
			     "RATE_LIMIT_EXCEEDED" },
	[ERROR_UNAUTHORIZED] = { "Invalid or inactive API key", "INVALID_API_KEY" },
	[ERROR_NO_KEY] = { "Missing Authorization header", "MISSING_AUTH_HEADER" },
	[ERROR_MALFORMED_KEY] = { "Malformed Authorization header: expected Bearer and an API key",
				  "MALFORMED_AUTH_HEADER" },
	[ERROR_FORBIDDEN] = { "Forbidden", "FORBIDDEN" },
	[ERROR_NO_VISITOR] = { "Unknown visitor", "UNKNOWN_VISITOR" },
	[ERROR_INVALID] = { "Invalid request payload", "INVALID_REQUEST" },
	[ERROR_KEY_REUSED] = { "Idempotency key reused with another request",
			       "IDEMPOTENCY_KEY_REUSED" },
	[ERROR_IN_PROGRESS] = { "A request with this idempotency key is in progress",
				"REQUEST_IN_PROGRESS" },
	[ERROR_CHATBOT_NOT_FOUND] = { "Chatbot not found or access denied", "CHATBOT_NOT_FOUND" },
	[ERROR_CONVERSATION_NOT_FOUND] = { "Conversation not found or access denied",
					   "CONVERSATION_NOT_FOUND" },
	[ERROR_NO_CREDIT] = { "Insufficient credits to generate AI response. Please upgrade your "
			      "plan.",
			      "INSUFFICIENT_CREDITS" },
	[ERROR_INTERNAL] = { "Internal server error", "INTERNAL_ERROR" },
	[ERROR_UNAVAILABLE] = { "Service unavailable", "SERVICE_UNAVAILABLE" },
};

static void read_metadata(struct exchange *exchange)
{
	struct json_node node = exchange_member(exchange, "metadata");
	struct str text;

	if (json_type_of(node) == JSON_ABSENT)
		return;
	if (json_type_of(node) != JSON_OBJECT ||
	    json_member_text(exchange->json, "metadata", &text) || text.n > METADATA_MAX)
		exchange->bad = true;
	else
		exchange->turn.begin.metadata = text;
}

static void read_members(struct exchange *exchange, const struct route_match *match)
{
	struct json_node conversation = exchange_member(exchange, "conversationId");
	struct json_node stream = exchange_member(exchange, "stream");
	struct str id;
	bool on;

	exchange_read_message(exchange);
	exchange->turn.begin.chatbot = exchange_id(route_variable(match, "chatbot"));
	if (json_get_string(conversation, &id))
		exchange->turn.begin.conversation = exchange_id(id);
	else if (json_type_of(conversation) != JSON_ABSENT)
		exchange->bad = true;
	if (json_get_boolean(stream, &on))
		exchange->turn.begin.stream = on;
	else if (json_type_of(stream) != JSON_ABSENT)
		exchange->bad = true;
	read_metadata(exchange);
}

static void put_ids(struct frame *frame, const struct event *event)
{
	frame_string(frame, "conversationId", event->conversation);
	frame_string(frame, "messageId", event->message_id);
}

static void put_words(struct frame *frame, enum http_error error)
{
	frame_string(frame, "error", str_from(words[error].text));
	frame_string(frame, "code", str_from(words[error].code));
}

static HOT void put_event(struct buf *out, void *state, const struct event *event)
{
	struct frame frame;

	(void)state;
	dialect_begin_event(&frame, out, FRAME_SSE, event);
	if (event->kind == EVENT_START || event->kind == EVENT_DONE)
		put_ids(&frame, event);
	else if (event->kind == EVENT_ERROR)
		put_words(&frame, ERROR_INTERNAL);
	frame_end(&frame);
}

static void put_answer(struct buf *out, void *state, const struct event *event)
{
	struct frame frame;

	(void)state;
	frame_begin(&frame, out, FRAME_JSON);
	frame_boolean(&frame, "success", true);
	frame_open(&frame, "data");
	frame_string(&frame, "response", event->text);
	put_ids(&frame, event);
	frame_close(&frame);
	frame_end(&frame);
}

static void put_data(struct buf *out, struct str json)
{
	struct frame frame;

	frame_begin(&frame, out, FRAME_JSON);
	frame_boolean(&frame, "success", true);
	frame_raw(&frame, "data", json.p ? json : STR("{}"));
	frame_end(&frame);
}

static void put_error(struct buf *out, enum http_error error, int64_t retry_s)
{
	struct frame frame;

	frame_begin(&frame, out, FRAME_JSON);
	frame_boolean(&frame, "success", false);
	put_words(&frame, error);
	if (error == ERROR_TOO_MANY)
		frame_integer(&frame, "retryAfter", retry_s);
	frame_end(&frame);
}

const struct dialect dialect_chatbot = {
	.name = "chatbot",
	.keys = KEY_SET(KEY_WORKSPACE),
	.read_key = bearer_read,
	.read = read_members,
	.limits = 0,
	.stream_type = "text/event-stream",
	.put_event = put_event,
	.beat = FRAME_SSE_BEAT,
	.answer_type = "application/json",
	.put_answer = put_answer,
	.put_data = put_data,
	.error_type = "application/json",
	.put_error = put_error,
};
