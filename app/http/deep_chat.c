/* deep-chat, a component for pages: pieces of text as SSE, or one text as JSON. */
#include "http/deep_chat.h"

#include "base/hot.h"
#include "http/exchange.h"
#include "http/front_end.h"
#include "http/headless.h"

static void read_members(struct exchange *exchange, const struct route_match *match)
{
	struct json_node messages = exchange_member(exchange, "messages");
	struct str session = STR_NONE;

	(void)match;
	(void)json_get_string(exchange_member(exchange, "conversationId"), &session);
	front_end_read_names(exchange, session);
	front_end_read_question(exchange, messages, json_length(messages));
	exchange->turn.begin.stream =
		front_end_accepts(exchange->request, dialect_deep_chat.stream_type);
}

static HOT void put_member(struct buf *out, enum frame_style style, const char *name,
			   struct str text)
{
	struct frame frame;

	frame_begin(&frame, out, style);
	frame_string(&frame, name, text);
	frame_end(&frame);
}

static HOT void put_event(struct buf *out, void *state, const struct event *event)
{
	(void)state;
	switch (event->kind) {
	case EVENT_START:
		break;
	case EVENT_TOKEN:
		put_member(out, FRAME_SSE, "text", event->text);
		break;
	case EVENT_DONE:
		buf_puts(out, "data: [DONE]\n\n");
		break;
	case EVENT_ERROR:
		put_member(out, FRAME_SSE, "error", str_from(error_words(ERROR_INTERNAL)));
		break;
	}
}

static void put_answer(struct buf *out, void *state, const struct event *event)
{
	(void)state;
	put_member(out, FRAME_JSON, "text", event->text);
}

const struct dialect dialect_deep_chat = {
	.name = "deep_chat",
	.long_bodies = true,
	.keys = FRONT_END_KEYS,
	.read_key = front_end_read_key,
	.read = read_members,
	.limits = DIALECT_ADDRESS_WINDOW | DIALECT_ADDRESS_OPEN,
	.stream_type = "text/event-stream",
	.put_event = put_event,
	.beat = FRAME_SSE_BEAT,
	.answer_type = "application/json",
	.put_answer = put_answer,
	.error_type = "application/json",
	.put_error = headless_put_error,
	.request_headers = FRONT_END_CHATBOT,
};
