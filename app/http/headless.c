/*
 * The headless API: conversations named by sessionId, NDJSON (H1 to H4). Which of stream and JSON
 * it is, its paths say.
 */
#include "http/headless.h"

#include "base/hot.h"
#include "http/exchange.h"
#include "http/request.h"

/* ^[A-Za-z0-9._:-]{1,128}$ */
bool headless_session_valid(struct str session)
{
	return session.n >= 1 && session.n <= HEADLESS_SESSION_MAX &&
	       str_only(session, STR("._:-"));
}

void headless_take_session(struct exchange *exchange, struct str session)
{
	if (headless_session_valid(session))
		exchange->turn.begin.session = session;
	else
		exchange->bad = true;
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
	(void)match;
	exchange_read_message(exchange);
	headless_take_session(exchange, exchange_text(exchange, "sessionId"));
}

static HOT void put_event(struct buf *out, void *state, const struct event *event)
{
	struct frame frame;

	(void)state;
	dialect_begin_event(&frame, out, FRAME_NDJSON, event);
	if (event->kind == EVENT_START || event->kind == EVENT_DONE)
		frame_string(&frame, "conversationId", event->conversation);
	else if (event->kind == EVENT_ERROR)
		frame_string(&frame, "error", str_from(error_words(ERROR_INTERNAL)));
	if (event->kind == EVENT_START && event->attached)
		frame_string(&frame, "messageId", event->message_id);
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

void headless_put_error(struct buf *out, enum http_error error, int64_t retry_s)
{
	(void)retry_s;
	frame_one(out, FRAME_JSON, "error", str_from(error_words(error)));
}

const struct dialect dialect_headless = {
	.name = "headless",
	.keys = KEY_SET(KEY_WIDGET),
	.read_key = read_key,
	.read = read_members,
	.limits = DIALECT_ADDRESS_WINDOW | DIALECT_ADDRESS_OPEN,
	.stream_type = "application/x-ndjson",
	.put_event = put_event,
	.beat = FRAME_NDJSON_BEAT,
	.answer_type = "application/json",
	.put_answer = put_answer,
	.error_type = "application/json",
	.put_error = headless_put_error,
};
