/*
 * The reply as a sink: an exchange's events become NDJSON lines, SSE events, or one JSON body at
 * the end. Only failures before START use a status; after it, an error is an event (H3).
 */
#include "http/reply.h"

#include "base/clock.h"

static void add_ids(const struct reply *reply, struct frame *frame, const struct event *event)
{
	frame_string(frame, "conversationId", event->conversation);
	if (reply->api == REPLY_CHATBOT)
		frame_string(frame, "messageId", event->message_id);
}

static void add_event(struct reply *reply, const struct event *event)
{
	const struct reply_error_row *row = reply_error_row(ERROR_INTERNAL);
	struct frame frame;

	frame_begin(&frame, &reply->out, reply->style);
	switch (event->kind) {
	case EVENT_START:
		frame_string(&frame, "type", STR("start"));
		add_ids(reply, &frame, event);
		break;
	case EVENT_TOKEN:
		frame_string(&frame, "type", STR("token"));
		frame_string(&frame, "token", event->text);
		break;
	case EVENT_DONE:
		frame_string(&frame, "type", STR("done"));
		frame_string(&frame, "message", event->text);
		add_ids(reply, &frame, event);
		break;
	case EVENT_ERROR:
		frame_string(&frame, "type", STR("error"));
		if (reply->api == REPLY_CHATBOT) {
			frame_string(&frame, "error", str_from(row->chatbot));
			frame_string(&frame, "code", str_from(row->code));
		} else {
			frame_string(&frame, "error", str_from(row->headless));
		}
		break;
	}
	frame_end(&frame);
}

/* A heartbeat lies between events only: nothing is half written when a wait begins. */
static void beat(void *context)
{
	struct reply *reply = context;

	frame_beat(&reply->out, reply->style);
	reply_flush(reply);
	if (reply->closed) {
		reply->wait->client_left = true;
		reply->wait->beat = NULL;
	}
}

/* A client that hears the end may call again at once: its place must be free by then (G10). */
static void give_back(struct reply *reply, const struct event *event)
{
	if (reply->held && (event->kind == EVENT_DONE || event->kind == EVENT_ERROR))
		limit_release(reply->held, reply->holder);
}

static enum status stream_event(struct sink *sink, const struct event *event)
{
	struct reply *reply = (struct reply *)sink;

	if (event->kind == EVENT_START) {
		reply_head(reply, 200,
			   reply->style == FRAME_SSE ? "text/event-stream" : "application/x-ndjson",
			   true);
		reply->wait->beat = beat;
		reply->wait->beat_context = reply;
	}
	give_back(reply, event);
	add_event(reply, event);
	return buf_check(&reply->out);
}

static enum status stream_flush(struct sink *sink)
{
	struct reply *reply = (struct reply *)sink;

	reply_flush(reply);
	return reply->closed ? STATUS_CLOSED : STATUS_OK;
}

static void send_answer(struct reply *reply, const struct event *event)
{
	bool chatbot = reply->api == REPLY_CHATBOT;
	struct frame frame;

	reply_head(reply, 200, "application/json", false);
	frame_begin(&frame, &reply->out, FRAME_JSON);
	if (chatbot) {
		frame_boolean(&frame, "success", true);
		frame_open(&frame, "data");
		frame_string(&frame, "response", event->text);
		add_ids(reply, &frame, event);
		frame_close(&frame);
	} else {
		add_ids(reply, &frame, event);
		frame_string(&frame, "message", event->text);
	}
	frame_end(&frame);
}

static enum status json_event(struct sink *sink, const struct event *event)
{
	struct reply *reply = (struct reply *)sink;

	give_back(reply, event);
	if (event->kind == EVENT_DONE)
		send_answer(reply, event);
	else if (event->kind == EVENT_ERROR)
		reply_error(reply, ERROR_INTERNAL);
	return buf_check(&reply->out);
}

void reply_as_sink(struct reply *reply, enum frame_style style)
{
	reply->style = style;
	reply->sink = (struct sink){ .event = style == FRAME_JSON ? json_event : stream_event,
				     .flush = stream_flush };
}
