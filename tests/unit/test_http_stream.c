/* http/stream: an exchange's events as a stream and as one answer, for both APIs, byte by byte. */
#include "stub_http.h"

#include "chat/limit_file.h"
#include "http/chatbot.h"
#include "http/headless.h"
#include "http/stream.h"

static struct gateway gateway;

static const struct event start = { .kind = EVENT_START,
				    .conversation = STR("c-1"),
				    .message_id = STR("m-1") };
static const struct event hel = { .kind = EVENT_TOKEN, .text = STR("Hel") };
static const struct event lo = { .kind = EVENT_TOKEN, .text = STR("lo\n") };
static const struct event done = { .kind = EVENT_DONE,
				   .conversation = STR("c-1"),
				   .message_id = STR("m-1"),
				   .text = STR("Hello\n") };
static const struct event failed = { .kind = EVENT_ERROR };

static struct {
	struct config config;
	struct wait wait;
	struct request request;
	struct reply reply;
	unsigned char state[DIALECT_STATE];
} given;

static void begin(const struct dialect *dialect, bool stream)
{
	given.config = stub_http_config();
	stub_http_request("POST", "/chat", "");
	wait_init(&given.wait);
	request_read(&given.request, &gateway, &given.config);
	reply_init(&given.reply, &gateway, &given.wait, &given.request, &given.config, dialect);
	stream_begin(&given.reply, stream, given.state);
}

static void end(void)
{
	reply_clear(&given.reply);
	request_clear(&given.request);
	assert_null(given.wait.beat);
}

static enum status tell(const struct event *event)
{
	return given.reply.sink.event(&given.reply.sink, event);
}

static enum status flush(void)
{
	return given.reply.sink.flush(&given.reply.sink);
}

/* What is written for an event that is flushed. */
static struct str said(const struct event *event)
{
	assert_int_equal(tell(event), STATUS_OK);
	assert_int_equal(flush(), STATUS_OK);
	return stub_gateway_take();
}

static void ndjson(void **state)
{
	(void)state;
	begin(&dialect_headless, true);
	assert_str(said(&start),
		   "Status: 200 OK\r\nContent-Type: application/x-ndjson\r\n" HEAD_STREAM
		   "\r\n{\"type\":\"start\",\"conversationId\":\"c-1\"}\n");
	assert_str(said(&hel), "{\"type\":\"token\",\"token\":\"Hel\"}\n");
	assert_str(said(&lo), "{\"type\":\"token\",\"token\":\"lo\\n\"}\n");
	assert_str(said(&done), "{\"type\":\"done\",\"message\":\"Hello\\n\",\"conversationId\":"
				"\"c-1\"}\n");
	end();
}

static void sse(void **state)
{
	(void)state;
	begin(&dialect_chatbot, true);
	assert_str(said(&start),
		   "Status: 200 OK\r\nContent-Type: text/event-stream\r\n" HEAD_STREAM
		   "\r\ndata: {\"type\":\"start\",\"conversationId\":\"c-1\",\"messageId\":\"m-1\"}"
		   "\n\n");
	assert_str(said(&hel), "data: {\"type\":\"token\",\"token\":\"Hel\"}\n\n");
	assert_str(said(&lo), "data: {\"type\":\"token\",\"token\":\"lo\\n\"}\n\n");
	assert_str(said(&done), "data: {\"type\":\"done\",\"message\":\"Hello\\n\","
				"\"conversationId\":\"c-1\",\"messageId\":\"m-1\"}\n\n");
	end();
}

/* L2: who came later is told numbers, and which answer it is. */
static void numbers_are_told_to_who_came_later(void **state)
{
	struct event event = start;

	(void)state;
	event.attached = true;
	begin(&dialect_headless, true);
	said(&start);
	assert_int_equal(tell(&event), STATUS_OK);
	(void)flush();
	assert_non_null(strstr(stub_gateway_take().p, "{\"type\":\"start\",\"conversationId\":"
						      "\"c-1\",\"messageId\":\"m-1\"}\n"));
	event = hel;
	event.attached = true;
	event.number = 3;
	assert_str(said(&event), "{\"type\":\"token\",\"number\":3,\"token\":\"Hel\"}\n");
	event = done;
	event.attached = true;
	event.number = 6;
	assert_str(said(&event), "{\"type\":\"done\",\"number\":6,\"message\":\"Hello\\n\","
				 "\"conversationId\":\"c-1\"}\n");
	end();
	begin(&dialect_chatbot, true);
	said(&start);
	event = hel;
	event.attached = true;
	event.number = 3;
	assert_str(said(&event), "id: 3\ndata: {\"type\":\"token\",\"token\":\"Hel\"}\n\n");
	event = failed;
	event.attached = true;
	event.number = 3;
	assert_str(said(&event), "data: {\"type\":\"error\",\"error\":\"Internal server error\","
				 "\"code\":\"INTERNAL_ERROR\"}\n\n");
	end();
}

static void an_error_is_an_event(void **state)
{
	(void)state;
	begin(&dialect_headless, true);
	said(&start);
	assert_str(said(&failed), "{\"type\":\"error\",\"error\":\"Internal server error\"}\n");
	end();
	begin(&dialect_chatbot, true);
	said(&start);
	assert_str(said(&failed), "data: {\"type\":\"error\",\"error\":\"Internal server error\","
				  "\"code\":\"INTERNAL_ERROR\"}\n\n");
	end();
}

/* The web server need not be woken twice. */
static void the_last_event_ends_the_request(void **state)
{
	static const struct event *const last[] = { &done, &failed };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(last); i++) {
		stub_gateway_clear();
		begin(&dialect_headless, true);
		said(&start);
		said(&hel);
		assert_int_equal(stub_gateway.ends, 0);
		said(last[i]);
		assert_int_equal(stub_gateway.writes, 3);
		assert_int_equal(stub_gateway.ends, 1);
		end();
	}
}

static void events_of_one_read_share_a_flush(void **state)
{
	(void)state;
	begin(&dialect_headless, true);
	said(&start);
	assert_int_equal(tell(&hel), STATUS_OK);
	assert_int_equal(tell(&lo), STATUS_OK);
	assert_int_equal(stub_gateway.writes, 1);
	assert_int_equal(flush(), STATUS_OK);
	assert_int_equal(stub_gateway.writes, 2);
	assert_str(stub_gateway_take(), "{\"type\":\"token\",\"token\":\"Hel\"}\n"
					"{\"type\":\"token\",\"token\":\"lo\\n\"}\n");
	/* A flush with nothing to send writes nothing: an empty write would end the stream. */
	assert_int_equal(flush(), STATUS_OK);
	assert_int_equal(stub_gateway.writes, 2);
	end();
}

static void json(void **state)
{
	(void)state;
	begin(&dialect_headless, false);
	assert_str(said(&start), "");
	assert_str(said(&hel), "");
	assert_str(said(&lo), "");
	assert_null(given.wait.beat);
	assert_int_equal(stub_gateway.writes, 0);
	assert_str(said(&done), "Status: 200 OK\r\nContent-Type: application/json\r\n" HEAD_REST
				"\r\n{\"conversationId\":\"c-1\",\"message\":\"Hello\\n\"}");
	end();
	begin(&dialect_chatbot, false);
	assert_str(said(&done),
		   "Status: 200 OK\r\nContent-Type: application/json\r\n" HEAD_REST
		   "\r\n{\"success\":true,\"data\":{\"response\":\"Hello\\n\",\"conversationId\":"
		   "\"c-1\",\"messageId\":\"m-1\"}}");
	end();
}

static void too_much_to_do_is_503_where_nothing_was_sent(void **state)
{
	static const struct event busy = { .kind = EVENT_ERROR, .retry_s = 7 };

	(void)state;
	begin(&dialect_headless, false);
	assert_str(said(&busy),
		   "Status: 503 Service Unavailable\r\nContent-Type: application/json\r\n" HEAD_REST
		   "Retry-After: 7\r\n"
		   "\r\n{\"error\":\"Service unavailable\"}");
	end();
	begin(&dialect_chatbot, false);
	assert_str(said(&busy),
		   "Status: 503 Service Unavailable\r\nContent-Type: application/json\r\n" HEAD_REST
		   "Retry-After: 7\r\n"
		   "\r\n{\"success\":false,\"error\":\"Service unavailable\",\"code\":"
		   "\"SERVICE_UNAVAILABLE\"}");
	end();
	/* A stream's error is the same. */
	begin(&dialect_headless, true);
	said(&start);
	assert_str(said(&busy), "{\"type\":\"error\",\"error\":\"Internal server error\"}\n");
	end();
}

static void an_error_has_a_status_where_nothing_was_sent(void **state)
{
	(void)state;
	begin(&dialect_headless, false);
	assert_str(said(&hel), "");
	assert_str(
		said(&failed),
		"Status: 500 Internal Server Error\r\nContent-Type: application/json\r\n" HEAD_REST
		"\r\n{\"error\":\"Internal server error\"}");
	end();
}

static void a_beat_between_events(void **state)
{
	static const struct {
		const struct dialect *dialect;
		const char *beat;
	} rows[] = {
		{ &dialect_headless, "\n" },
		{ &dialect_chatbot, ":\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		begin(rows[i].dialect, true);
		assert_null(given.wait.beat);
		said(&start);
		assert_non_null(given.wait.beat);
		stub_time.now = given.wait.beat_at;
		given.wait.beat(given.wait.beat_context);
		assert_same(stub_gateway_take(), str_from(rows[i].beat));
		assert_int_equal(given.wait.beat_at, stub_time.now + given.config.heartbeat_ms);
		assert_false(given.wait.client_left);
		end();
	}
}

/* Should one fall due while events wait for their flush, it comes behind them, not within. */
static void a_beat_never_within_an_event(void **state)
{
	(void)state;
	begin(&dialect_headless, true);
	said(&start);
	assert_int_equal(tell(&hel), STATUS_OK);
	given.wait.beat(given.wait.beat_context);
	assert_str(stub_gateway_take(), "{\"type\":\"token\",\"token\":\"Hel\"}\n\n");
	end();
}

static void a_client_that_left(void **state)
{
	(void)state;
	begin(&dialect_headless, true);
	said(&start);
	stub_gateway.refuse_at = 2;
	assert_int_equal(tell(&hel), STATUS_OK);
	assert_int_equal(flush(), STATUS_CLOSED);
	assert_int_equal(tell(&lo), STATUS_OK);
	assert_int_equal(flush(), STATUS_CLOSED);
	assert_int_equal(stub_gateway.writes, 2);
	end();
}

/* That is no client's leaving: what it did not take is not charged. */
static void a_client_that_took_nothing_until_the_worker_must_end(void **state)
{
	(void)state;
	begin(&dialect_headless, true);
	said(&start);
	stub_gateway.refuse_at = 2;
	stub_gateway.stopped = true;
	given.wait.beat(given.wait.beat_context);
	assert_false(given.wait.client_left);
	assert_null(given.wait.beat);
	assert_int_equal(tell(&hel), STATUS_OK);
	assert_int_equal(flush(), STATUS_STOPPED);
	assert_int_equal(stub_gateway.writes, 2);
	end();
}

static void a_beat_finds_that_the_client_left(void **state)
{
	(void)state;
	begin(&dialect_headless, true);
	said(&start);
	stub_gateway.refuse_at = 2;
	given.wait.beat(given.wait.beat_context);
	assert_true(given.wait.client_left);
	assert_null(given.wait.beat);
	end();
}

static void an_event_too_long_is_a_failure(void **state)
{
	const struct event all = { .kind = EVENT_TOKEN,
				   .text = { stub_gateway.out, sizeof(stub_gateway.out) } };

	(void)state;
	begin(&dialect_headless, true);
	given.reply.out.cap = 1000;
	said(&start);
	assert_int_equal(tell(&all), STATUS_NOMEM);
	/* Half an event is worse than none, and an error can always be said. */
	assert_int_equal(flush(), STATUS_OK);
	assert_int_equal(stub_gateway.writes, 1);
	assert_str(said(&failed), "{\"type\":\"error\",\"error\":\"Internal server error\"}\n");
	end();
}

static void an_answer_too_long_is_an_error(void **state)
{
	const struct event all = { .kind = EVENT_DONE,
				   .text = { stub_gateway.out, sizeof(stub_gateway.out) } };
	struct str written;

	(void)state;
	begin(&dialect_headless, false);
	given.reply.out.cap = 1000;
	assert_int_equal(tell(&all), STATUS_NOMEM);
	written = said(&failed);
	assert_true(str_starts(written, STR("Status: 500 ")));
	assert_int_equal(given.reply.status, 500);
	end();
}

/* Its head may have no room: then nothing of the stream is there, and a status tells. */
static void a_stream_that_cannot_begin_is_an_error(void **state)
{
	const struct event all = { .kind = EVENT_START,
				   .conversation = { stub_gateway.out, sizeof(stub_gateway.out) } };

	(void)state;
	begin(&dialect_headless, true);
	given.reply.out.cap = 1000;
	assert_int_equal(tell(&all), STATUS_NOMEM);
	assert_true(str_starts(said(&failed), STR("Status: 500 ")));
	end();
}

static struct limit *limit;
static int free_at_write;

/* Another holder's place, where only one may be taken in all. */
static void look_for_a_place(void)
{
	free_at_write = limit_hold(limit, 1, LIMIT_OPEN, STR("192.0.2.7"), 1);
	limit_release(limit, 1);
}

static void the_place_is_free_before_the_last_event_goes_out(void **state)
{
	static const struct event *const lasts[] = { &done, &failed };
	int kind;

	(void)state;
	assert_int_equal(limit_open(NULL, 2, &limit), STATUS_OK);
	for (kind = 0; kind < 4; kind++) {
		begin(&dialect_headless, kind < 2);
		stub_gateway.on_write = look_for_a_place;
		assert_true(limit_hold(limit, 0, LIMIT_OPEN, STR("192.0.2.7"), 1));
		given.reply.held = limit;
		given.reply.holder = 0;
		free_at_write = false;
		said(&start);
		said(&hel);
		assert_false(free_at_write);
		said(lasts[kind % 2]);
		assert_true(free_at_write);
		limit_release(limit, 0);
		end();
	}
	limit_close(limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ndjson),
		cmocka_unit_test(sse),
		cmocka_unit_test(numbers_are_told_to_who_came_later),
		cmocka_unit_test(an_error_is_an_event),
		cmocka_unit_test(the_last_event_ends_the_request),
		cmocka_unit_test(events_of_one_read_share_a_flush),
		cmocka_unit_test(json),
		cmocka_unit_test(too_much_to_do_is_503_where_nothing_was_sent),
		cmocka_unit_test(an_error_has_a_status_where_nothing_was_sent),
		cmocka_unit_test(a_beat_between_events),
		cmocka_unit_test(a_beat_never_within_an_event),
		cmocka_unit_test(a_client_that_left),
		cmocka_unit_test(a_beat_finds_that_the_client_left),
		cmocka_unit_test(a_client_that_took_nothing_until_the_worker_must_end),
		cmocka_unit_test(an_event_too_long_is_a_failure),
		cmocka_unit_test(an_answer_too_long_is_an_error),
		cmocka_unit_test(a_stream_that_cannot_begin_is_an_error),
		cmocka_unit_test(the_place_is_free_before_the_last_event_goes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
