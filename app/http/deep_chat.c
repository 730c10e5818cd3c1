/* deep-chat, a component for pages: pieces of text as SSE, or one text as JSON. */
#include "http/deep_chat.h"

#include "base/hot.h"
#include "http/exchange.h"
#include "http/front_end.h"
#include "http/headless.h"

static void read_members(struct exchange *exchange, const struct route_match *match)
{
	struct json_node messages = exchange_member(exchange, "messages");

	(void)match;
	front_end_read_names(exchange, exchange_text(exchange, "conversationId"));
	front_end_read_question(exchange, messages, json_length(messages));
	exchange->turn.begin.stream =
		front_end_accepts(exchange->request, dialect_deep_chat.stream_type);
}

static HOT void put_event(struct buf *out, void *state, const struct event *event)
{
	(void)state;
	switch (event->kind) {
	case EVENT_START:
		break;
	case EVENT_TOKEN:
		frame_one(out, FRAME_SSE, "text", event->text);
		break;
	case EVENT_DONE:
		buf_puts(out, "data: [DONE]\n\n");
		break;
	case EVENT_ERROR:
		frame_one(out, FRAME_SSE, "error", str_from(error_words(ERROR_INTERNAL)));
		break;
	}
}

static void put_answer(struct buf *out, void *state, const struct event *event)
{
	(void)state;
	frame_one(out, FRAME_JSON, "text", event->text);
}

const struct dialect dialect_deep_chat = {
	.name = "deep_chat",
	FRONT_END_ROW,
	.read = read_members,
	.stream_type = "text/event-stream",
	.put_event = put_event,
	.beat = FRAME_SSE_BEAT,
	.answer_type = "application/json",
	.put_answer = put_answer,
	.error_type = "application/json",
	.put_error = headless_put_error,
};
