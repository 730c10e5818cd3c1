/*
 * The headless API: conversations named by sessionId, NDJSON (H1 to H4). Which of stream and JSON
 * it is, its paths say.
 */
#include "http/headless.h"

#include "base/hot.h"
#include "http/exchange.h"
#include "http/request.h"

#define SESSION_MAX 128

static const char *const words[ERROR_COUNT] = {
	[ERROR_NOT_FOUND] = "Not found",
	[ERROR_METHOD] = "Method not allowed",
	[ERROR_TOO_MANY] = "Too many requests",
	[ERROR_UNAUTHORIZED] = "Unauthorized",
	[ERROR_NO_KEY] = "Unauthorized",
	[ERROR_MALFORMED_KEY] = "Unauthorized",
	[ERROR_FORBIDDEN] = "Forbidden",
	[ERROR_NO_VISITOR] = "Unknown visitor",
	[ERROR_INVALID] = "Invalid request payload",
	[ERROR_KEY_REUSED] = "Idempotency key reused",
	[ERROR_IN_PROGRESS] = "Request in progress",
	[ERROR_CHATBOT_NOT_FOUND] = "Not found",
	[ERROR_CONVERSATION_NOT_FOUND] = "Not found",
	[ERROR_NO_CREDIT] = "Insufficient credits",
	[ERROR_INTERNAL] = "Internal server error",
	[ERROR_UNAVAILABLE] = "Service unavailable",
};

/* ^[A-Za-z0-9._:-]{1,128}$ */
bool headless_session_valid(struct str session)
{
	return session.n >= 1 && session.n <= SESSION_MAX && str_only(session, STR("._:-"));
}

/* Where both headers are present, even empty, x-api-key counts (H2). */
static enum http_error read_key(const struct request *request, struct str *text)
{
	*text = request_header(request, "HTTP_X_API_KEY");
	if (!text->p)
		*text = request_header(request, "HTTP_X_WIDGET_API_KEY");
	return text->n ? ERROR_NONE : ERROR_NO_KEY;
}

static void read_members(struct exchange *exchange, const struct route_match *match)
{
	struct str session;

	(void)match;
	exchange_read_message(exchange);
	if (json_get_string(exchange_member(exchange, "sessionId"), &session) &&
	    headless_session_valid(session))
		exchange->turn.begin.session = session;
	else
		exchange->bad = true;
}

static HOT void put_event(struct buf *out, void *state, const struct event *event)
{
	struct frame frame;

	(void)state;
	dialect_begin_event(&frame, out, FRAME_NDJSON, event);
	if (event->kind == EVENT_START || event->kind == EVENT_DONE)
		frame_string(&frame, "conversationId", event->conversation);
	else if (event->kind == EVENT_ERROR)
		frame_string(&frame, "error", str_from(words[ERROR_INTERNAL]));
	frame_end(&frame);
}

static void put_answer(struct buf *out, void *state, const struct event *event)
{
	struct frame frame;

	(void)state;
	frame_begin(&frame, out, FRAME_JSON);
	frame_string(&frame, "conversationId", event->conversation);
	frame_string(&frame, "message", event->text);
	frame_end(&frame);
}

static void put_error(struct buf *out, enum http_error error, int64_t retry_s)
{
	struct frame frame;

	(void)retry_s;
	frame_begin(&frame, out, FRAME_JSON);
	frame_string(&frame, "error", str_from(words[error]));
	frame_end(&frame);
}

const struct dialect dialect_headless = {
	.name = "headless",
	.key_kind = KEY_WIDGET,
	.read_key = read_key,
	.read = read_members,
	.limits = DIALECT_ADDRESS_WINDOW | DIALECT_ADDRESS_OPEN,
	.stream_type = "application/x-ndjson",
	.put_event = put_event,
	.beat = FRAME_NDJSON_BEAT,
	.answer_type = "application/json",
	.put_answer = put_answer,
	.error_type = "application/json",
	.put_error = put_error,
};
