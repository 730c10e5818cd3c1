/*
 * AG-UI 1.0: an answer as a run with one message in it. Its clients refuse a run that ends while a message
 * is open, and a member that is null: what there is not to say is left out.
 */
#include "http/agui.h"

#include "base/hot.h"
#include "http/exchange.h"
#include "http/front_end.h"
#include "http/headless.h"
#include "wire/utf8.h"

#define RUN_CHARS 200

struct agui {
	struct str thread, run; /* the client's, borrowed from the body */
	bool open;		/* the message is */
	unsigned id_n;
	char id[EXCHANGE_ID_MAX]; /* the message's */
};
_Static_assert(sizeof(struct agui) <= DIALECT_STATE, "it does not fit");

static void read_run(struct exchange *exchange, struct agui *agui)
{
	size_t chars;

	agui->run = exchange_text(exchange, "runId");
	if (!utf8_valid(agui->run, &chars) || chars < 1 || chars > RUN_CHARS)
		exchange->bad = true;
}

static void read_members(struct exchange *exchange, const struct route_match *match)
{
	struct json_node messages = exchange_member(exchange, "messages");
	struct agui *agui = (struct agui *)exchange->state;

	(void)match;
	agui->thread = exchange_text(exchange, "threadId");
	front_end_read_names(exchange, agui->thread);
	read_run(exchange, agui);
	front_end_read_question(exchange, messages, json_length(messages));
}

static void begin_run_event(struct frame *frame, struct buf *out, const struct agui *agui,
			    struct str type)
{
	frame_begin(frame, out, FRAME_SSE);
	frame_string(frame, "type", type);
	frame_string(frame, "threadId", agui->thread);
	frame_string(frame, "runId", agui->run);
}

static void put_start(struct buf *out, struct agui *agui, const struct event *event)
{
	struct frame frame;

	agui->id_n = (unsigned)(event->message_id.n < EXCHANGE_ID_MAX ? event->message_id.n
								      : EXCHANGE_ID_MAX);
	memcpy(agui->id, event->message_id.p, agui->id_n);
	begin_run_event(&frame, out, agui, STR("RUN_STARTED"));
	frame_end(&frame);
}

static HOT void begin_message_event(struct buf *out, const struct agui *agui, const char *type)
{
	buf_puts(out, "data: {\"type\":\"TEXT_MESSAGE_");
	buf_puts(out, type);
	buf_puts(out, "\",\"messageId\":\"");
	buf_append(out, agui->id, agui->id_n);
	buf_puts(out, "\"");
}

/* A message begins with its text: one that failed before that leaves no empty one on a page. */
static HOT void put_text(struct buf *out, struct agui *agui, struct str text)
{
	if (!agui->open) {
		begin_message_event(out, agui, "START");
		buf_puts(out, ",\"role\":\"assistant\"}\n\n");
	}
	agui->open = true;
	begin_message_event(out, agui, "CONTENT");
	buf_puts(out, ",\"delta\":");
	frame_quote(out, text);
	buf_puts(out, "}\n\n");
}

/* Why it ended, where that is not as usual; else absent. */
static struct str reason_of(struct str reason)
{
	if (!reason.p || str_equal(reason, STR("stop")))
		return STR_NONE;
	return str_equal(reason, STR("length")) || str_equal(reason, STR("content_filter"))
		       ? reason
		       : STR("other");
}

static void put_end(struct buf *out, const struct agui *agui, const struct event *event)
{
	struct str reason = reason_of(event->finish_reason);
	struct frame frame;

	if (agui->open) {
		begin_message_event(out, agui, "END");
		buf_puts(out, "}\n\n");
	}
	begin_run_event(&frame, out, agui, STR("RUN_FINISHED"));
	if (event->stopped) {
		frame_open(&frame, "outcome");
		frame_string(&frame, "type", STR("cancelled"));
		frame_close(&frame);
	} else if (reason.p) {
		frame_open(&frame, "result");
		frame_string(&frame, "finishReason", reason);
		frame_close(&frame);
	}
	frame_end(&frame);
}

static void put_failure(struct buf *out)
{
	struct frame frame;

	frame_begin(&frame, out, FRAME_SSE);
	frame_string(&frame, "type", STR("RUN_ERROR"));
	frame_string(&frame, "message", str_from(error_words(ERROR_INTERNAL)));
	frame_string(&frame, "code", STR("INTERNAL_ERROR"));
	frame_end(&frame);
}

static HOT void put_event(struct buf *out, void *state, const struct event *event)
{
	struct agui *agui = state;

	switch (event->kind) {
	case EVENT_START:
		put_start(out, agui, event);
		break;
	case EVENT_TOKEN:
		put_text(out, agui, event->text);
		break;
	case EVENT_DONE:
		put_end(out, agui, event);
		break;
	case EVENT_ERROR:
		put_failure(out);
		break;
	}
}

const struct dialect dialect_agui = {
	.name = "agui",
	FRONT_END_ROW,
	.read = read_members,
	.says_how = true,
	.stream_type = "text/event-stream",
	.put_event = put_event,
	.beat = FRAME_SSE_BEAT,
	.error_type = "application/json",
	.put_error = headless_put_error,
};
