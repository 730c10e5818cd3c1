/*
 * An exchange's events, written. Only failures before START use a status; after it, an error is an
 * event (H3). Rests on reply.c, and knows no API.
 */
#include "http/stream.h"

#include "base/hot.h"

/* A heartbeat lies between events only: nothing is half written when a wait begins. */
static void beat(void *context)
{
	struct reply *reply = context;

	buf_puts(&reply->out, reply->dialect->beat);
	reply_flush(reply);
	if (reply->closed) {
		reply->wait->client_left = !reply->stopped;
		reply->wait->beat = NULL;
	}
}

/* A client that hears the end may call again at once: its place must be free by then (G10). */
static void see_last(struct reply *reply, const struct event *event)
{
	reply->last = event->kind == EVENT_DONE || event->kind == EVENT_ERROR;
	if (reply->held && reply->last)
		limit_release(reply->held, reply->holder);
}

static void start(struct reply *reply)
{
	reply_put_head(reply, &(struct reply_head){ .status = 200,
						    .type = reply->dialect->stream_type,
						    .cache = CACHE_STREAM,
						    .headers = reply->dialect->stream_headers });
	reply->wait->beat = beat;
	reply->wait->beat_context = reply;
}

static HOT enum status stream_event(struct sink *sink, const struct event *event)
{
	struct reply *reply = (struct reply *)sink;
	size_t before = reply->out.len;

	see_last(reply, event);
	if (event->kind == EVENT_ERROR && !reply->status) {
		reply_error(reply, ERROR_INTERNAL); /* there was no memory for START */
		return STATUS_OK;
	}
	if (event->kind == EVENT_START)
		start(reply);
	reply->dialect->put_event(&reply->out, reply->state, event);
	if (!reply_check(reply, before))
		return STATUS_OK;
	if (event->kind == EVENT_START)
		reply->status = 0;
	return STATUS_NOMEM;
}

static HOT enum status flush(struct sink *sink)
{
	struct reply *reply = (struct reply *)sink;

	reply_flush(reply);
	if (reply->stopped)
		return STATUS_STOPPED;
	return reply->closed ? STATUS_CLOSED : STATUS_OK;
}

static enum status answer_event(struct sink *sink, const struct event *event)
{
	struct reply *reply = (struct reply *)sink;

	see_last(reply, event);
	if (event->kind == EVENT_DONE) {
		reply_put_head(reply, &(struct reply_head){ .status = 200,
							    .type = reply->dialect->answer_type });
		reply->dialect->put_answer(&reply->out, reply->state, event);
		return reply_check(reply, 0);
	} else if (event->kind == EVENT_ERROR) {
		reply->retry_s = event->retry_s;
		reply_error(reply, event->retry_s ? ERROR_UNAVAILABLE : ERROR_INTERNAL);
	}
	return STATUS_OK;
}

void stream_begin(struct reply *reply, bool stream, void *state)
{
	reply->state = state;
	reply->sink =
		(struct sink){ .event = stream ? stream_event : answer_event, .flush = flush };
}
