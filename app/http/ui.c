/*
 * The AI SDK's UI message stream, version 1: an answer as parts of a message. An event of a type that its
 * client does not know breaks the whole stream there, so no other is ever sent.
 */
#include "http/ui.h"

#include "base/hot.h"
#include "http/attach.h"
#include "http/exchange.h"
#include "http/front_end.h"
#include "http/visitor.h"

struct ui {
	bool text; /* has begun */
};
_Static_assert(sizeof(struct ui) <= DIALECT_STATE, "it does not fit");

/*
 * How many of the messages there were when the question was asked. A client has taken an answer that is
 * to be made anew off its messages, and may name the question as well.
 */
static size_t asked_at(const struct exchange *exchange, struct json_node messages)
{
	struct str named = exchange_text(exchange, "messageId"), id;
	size_t count = json_length(messages), i;
	struct json_node message;

	if (!named.p || !str_equal(exchange_text(exchange, "trigger"), STR("regenerate-message")))
		return count;
	for (i = 0; i < count; i++) {
		message = json_element(messages, i);
		if (json_get_string(json_member(message, "id"), &id) && str_equal(id, named))
			return front_end_is_users(message) ? i + 1 : i;
	}
	return count;
}

static void read_members(struct exchange *exchange, const struct route_match *match)
{
	struct json_node messages = exchange_member(exchange, "messages");

	(void)match;
	front_end_read_names(exchange, exchange_text(exchange, "id"));
	front_end_read_question(exchange, messages, asked_at(exchange, messages));
}

#define PART(type, members) "data: {\"type\":\"" type "\"" members "}\n\n"
#define LAST "data: [DONE]\n\n"
/* An answer has one part of text. */
#define TEXT_ID ",\"id\":\"t0\""

static void put_start(struct buf *out, const struct event *event)
{
	struct frame frame;

	frame_begin(&frame, out, FRAME_SSE);
	frame_string(&frame, "type", STR("start"));
	frame_string(&frame, "messageId", event->message_id);
	frame_open(&frame, "messageMetadata");
	frame_string(&frame, "conversationId", event->conversation);
	frame_close(&frame);
	frame_end(&frame);
	buf_puts(out, PART("start-step", ""));
}

static HOT void put_text(struct buf *out, struct ui *ui, struct str text)
{
	if (!ui->text)
		buf_puts(out, PART("text-start", TEXT_ID));
	ui->text = true;
	buf_puts(out, "data: {\"type\":\"text-delta\"" TEXT_ID ",\"delta\":");
	frame_quote(out, text);
	buf_puts(out, "}\n\n");
}

static const char *reason_of(struct str reason)
{
	return !reason.p || str_equal(reason, STR("stop")) ? "stop"
	       : str_equal(reason, STR("length"))	   ? "length"
	       : str_equal(reason, STR("content_filter"))  ? "content-filter"
							   : "other";
}

static void put_end(struct buf *out, const struct ui *ui, const struct event *event)
{
	struct frame frame;

	if (ui->text)
		buf_puts(out, PART("text-end", TEXT_ID));
	buf_puts(out, PART("finish-step", ""));
	frame_begin(&frame, out, FRAME_SSE);
	frame_string(&frame, "type", event->stopped ? STR("abort") : STR("finish"));
	if (event->stopped)
		frame_string(&frame, "reason", STR("stopped"));
	else
		frame_string(&frame, "finishReason", str_from(reason_of(event->finish_reason)));
	frame_end(&frame);
	buf_puts(out, LAST);
}

static void put_failure(struct buf *out)
{
	struct frame frame;

	frame_begin(&frame, out, FRAME_SSE);
	frame_string(&frame, "type", STR("error"));
	frame_string(&frame, "errorText", str_from(error_words(ERROR_INTERNAL)));
	frame_end(&frame);
	buf_puts(out, LAST);
}

static HOT void put_event(struct buf *out, void *state, const struct event *event)
{
	struct ui *ui = state;

	switch (event->kind) {
	case EVENT_START:
		put_start(out, event);
		break;
	case EVENT_TOKEN:
		put_text(out, ui, event->text);
		break;
	case EVENT_DONE:
		put_end(out, ui, event);
		break;
	case EVENT_ERROR:
		put_failure(out);
		break;
	}
}

/* Its client says the body of an error as it came. */
static void put_error(struct buf *out, enum http_error error, int64_t retry_s)
{
	(void)retry_s;
	buf_puts(out, error_words(error));
}

/* A page asks when it is loaded, whoever it is: who has no token has no answer coming. */
void ui_serve_stream(struct http_context *context, struct request *request, struct reply *reply,
		     const struct route_match *match)
{
	char room[FRONT_END_NAME + 1], token[KEY_TOKEN_SIZE];
	struct str name = front_end_name(match, room);
	struct attach_wish wish = {
		.reader = { .chatbot = front_end_chatbot(request), .session = name },
		.choice = { .talk = name, .named = true },
	};
	const struct key *key = &wish.reader.key;

	if (!exchange_take_key(context, request, reply, match, &wish.reader.key))
		return;
	if (key->kind == KEY_SITE)
		visitor_read(request, &wish.reader.visitor, token);
	if (wish.reader.visitor.minted) {
		reply_send(reply, &(struct reply_head){ .status = 204 }, STR(""));
		return;
	}
	wish.choice.good = name.p && (key->kind != KEY_WORKSPACE || wish.reader.chatbot.p);
	attach_hear(context, request, reply, &wish);
}

static const struct reply_header stream_headers[] = {
	{ "X-Vercel-AI-UI-Message-Stream", "v1" },
	{ NULL, NULL },
};

const struct dialect dialect_ui = {
	.name = "ui",
	FRONT_END_ROW,
	.read = read_members,
	.says_how = true,
	.stream_type = "text/event-stream",
	.stream_headers = stream_headers,
	.put_event = put_event,
	.beat = FRAME_SSE_BEAT,
	.error_type = "text/plain; charset=utf-8",
	.put_error = put_error,
	.exposed_headers = "X-Vercel-AI-UI-Message-Stream",
};
