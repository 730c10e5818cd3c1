/*
 * A third API is a row: this one is a test's own, framed like none of ours. It counts its events,
 * opens its text with the first piece, ends with a word that is no event, reads members of
 * its own, has its own errors, headers and limits; and http/ plays it without knowing of it.
 */
#include "stub_serve.h"

#include "http/exchange.h"
#include "http/stream.h"

struct tiny {
	bool tagged; /* the request's wish */
	bool opened;
	int events;
};
_Static_assert(sizeof(struct tiny) <= DIALECT_STATE, "it does not fit");

static enum http_error tiny_read_key(const struct request *request, struct str *text)
{
	*text = request_header(request, "HTTP_X_TINY_KEY");
	return text->n ? ERROR_NONE : ERROR_NO_KEY;
}

static void tiny_read(struct exchange *exchange, const struct route_match *match)
{
	struct tiny *tiny = (struct tiny *)exchange->state;
	bool on;

	assert_int_equal(tiny->events, 0);
	tiny->tagged = json_get_boolean(exchange_member(exchange, "tagged"), &on) && on;
	exchange->turn.begin.session = route_variable(match, "room");
	if (!json_get_string(exchange_member(exchange, "ask"), &exchange->turn.begin.message))
		exchange->bad = true;
}

static void tiny_line(struct buf *out, struct tiny *tiny, const char *name, struct str text)
{
	struct frame frame;

	if (tiny->tagged)
		buf_printf(out, "event: %s\n", name);
	frame_begin(&frame, out, FRAME_SSE);
	frame_integer(&frame, "n", ++tiny->events);
	frame_string(&frame, name, text);
	frame_end(&frame);
}

static void tiny_put_event(struct buf *out, void *state, const struct event *event)
{
	struct tiny *tiny = state;

	switch (event->kind) {
	case EVENT_START:
		tiny_line(out, tiny, "run", event->message_id);
		break;
	case EVENT_TOKEN:
		if (!tiny->opened)
			tiny_line(out, tiny, "open", STR("text"));
		tiny->opened = true;
		tiny_line(out, tiny, "piece", event->text);
		break;
	case EVENT_DONE:
		tiny_line(out, tiny, "close", STR("text"));
		buf_puts(out, "data: [DONE]\n\n");
		break;
	case EVENT_ERROR:
		tiny_line(out, tiny, "oops", STR("later"));
		buf_puts(out, "data: [DONE]\n\n");
		break;
	}
}

static void tiny_put_answer(struct buf *out, void *state, const struct event *event)
{
	(void)state;
	buf_puts(out, "answer=");
	buf_str(out, event->text);
}

static void tiny_put_error(struct buf *out, enum http_error error, int64_t retry_s)
{
	buf_printf(out, "error=%d retry=%d", error_status(error), (int)retry_s);
}

static const struct reply_header tiny_headers[] = { { "X-Tiny-Stream", "v1" }, { NULL, NULL } };

static const struct dialect tiny_dialect = {
	.name = "tiny",
	.keys = KEY_SET(KEY_WIDGET),
	.read_key = tiny_read_key,
	.read = tiny_read,
	.limits = DIALECT_ADDRESS_WINDOW,
	.stream_type = "text/event-stream; charset=utf-8",
	.stream_headers = tiny_headers,
	.put_event = tiny_put_event,
	.beat = ": still here\n\n",
	.answer_type = "text/x-answer",
	.put_answer = tiny_put_answer,
	.error_type = "text/x-error",
	.put_error = tiny_put_error,
	.request_headers = "X-Tiny-Key, X-Tiny-Wish",
	.exposed_headers = "X-Tiny-Stream",
};

static const struct route tiny_routes[] = {
	{ "/tiny/{room}", "POST", exchange_serve, &tiny_dialect, 0 },
	{ "/tiny/{room}/whole", "POST", exchange_serve, &tiny_dialect, ROUTE_WHOLE },
};

static const struct stub_piece pieces[] = {
	{ .bytes = STR(DELTA("Hel") DELTA("lo")) },
	{ .bytes = STR(FINISH("stop") DONE) },
};
static const struct stub_piece broken[] = {
	{ .bytes = STR(DELTA("Hel")) },
	{ .bytes = STR(""), .status = STATUS_UNAVAILABLE },
};

static struct stub_serve s;

/* As http_serve() does, with a table of routes that has it. */
static struct str serve(const struct route *route, const char *path)
{
	struct route_match match;
	struct request request;
	struct reply reply;

	request_read(&request, &s.gateway, &s.config);
	assert_true(route_matches(route, str_from(path), &match));
	request_read_body(&request, &s.gateway, 100);
	reply_init(&reply, &s.gateway, &s.wait, &request, &s.config, route->dialect);
	match.route->handle(&s.context, &request, &reply, &match);
	limit_release(s.context.limit, s.context.holder);
	reply_clear(&reply);
	request_clear(&request);
	return stub_gateway_out();
}

static void begin(const char *body)
{
	stub_http_request("POST", "", body);
	stub_gateway_param("HTTP_X_TINY_KEY", s.widget);
	stub_serve_script(stub_good, 2, pieces, COUNT(pieces));
}

static void its_stream(void **state)
{
	(void)state;
	begin("{\"ask\":\"three\"}");
	assert_str(
		serve(&tiny_routes[0], "/tiny/room-9"),
		"Status: 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n" HEAD_STREAM
		"X-Tiny-Stream: v1\r\n\r\n"
		"data: {\"n\":1,\"run\":\"m-1\"}\n\n"
		"data: {\"n\":2,\"open\":\"text\"}\n\n"
		"data: {\"n\":3,\"piece\":\"Hel\"}\n\n"
		"data: {\"n\":4,\"piece\":\"lo\"}\n\n"
		"data: {\"n\":5,\"close\":\"text\"}\n\n"
		"data: [DONE]\n\n");
	assert_non_null(strstr(journal.text, "'room-9', 'three'"));
}

static void its_request_bears_on_its_events(void **state)
{
	(void)state;
	begin("{\"ask\":\"three\",\"tagged\":true}");
	assert_true(str_holds(serve(&tiny_routes[0], "/tiny/1"),
			      STR("event: open\ndata: {\"n\":2,\"open\":\"text\"}\n\n")));
	/* And the next request begins anew. */
	begin("{\"ask\":\"three\"}");
	assert_false(str_holds(serve(&tiny_routes[0], "/tiny/1"), STR("event:")));
}

static void its_error_after_the_start(void **state)
{
	(void)state;
	begin("{\"ask\":\"three\"}");
	stub_serve_script(stub_good, 2, broken, COUNT(broken));
	assert_true(str_holds(serve(&tiny_routes[0], "/tiny/1"),
			      STR("data: {\"n\":4,\"oops\":\"later\"}\n\ndata: [DONE]\n\n")));
}

static const struct stub_row json_started[] = { { { "started", "c-1", "m-1", [11] = "f" } } };
static const struct stub_answer json_good[] = { { .rows = json_started, .count = 1 }, STORED };

static void its_answer(void **state)
{
	(void)state;
	begin("{\"ask\":\"three\"}");
	stub_serve_script(json_good, 2, pieces, COUNT(pieces));
	assert_str(serve(&tiny_routes[1], "/tiny/1/whole"),
		   "Status: 200 OK\r\nContent-Type: text/x-answer\r\n" HEAD_REST
		   "\r\nanswer=Hello");
}

static void its_errors(void **state)
{
	static const struct stub_row bad[] = { { { "bad_request" } } };
	static const struct stub_answer refused[] = { { .rows = bad, .count = 1 } };

	(void)state;
	stub_http_request("POST", "", "{}");
	assert_str(serve(&tiny_routes[0], "/tiny/1"),
		   "Status: 401 Unauthorized\r\nContent-Type: text/x-error\r\n" HEAD_REST
		   "\r\nerror=401 retry=0");
	/* A body above its own bound is bad, whatever others may send. */
	begin("{\"ask\":\"three\",\"more\":\"......................................................"
	      ".......................................................\"}");
	stub_serve_script(refused, 1, pieces, 0);
	assert_true(str_holds(serve(&tiny_routes[0], "/tiny/1"), STR("\r\n\r\nerror=400")));
	assert_null(strstr(journal.text, "three"));
	s.config.address_limit = 1;
	begin("{\"ask\":\"three\"}");
	serve(&tiny_routes[0], "/tiny/1");
	begin("{\"ask\":\"three\"}");
	assert_true(
		str_holds(serve(&tiny_routes[0], "/tiny/1"), STR("\r\n\r\nerror=429 retry=60")));
}

/* It counts requests of an address, and not how many are open. */
static void its_limits(void **state)
{
	(void)state;
	s.config.address_open = 1;
	assert_true(limit_hold(s.context.limit, 1, LIMIT_OPEN, STR("192.0.2.7"), 1));
	begin("{\"ask\":\"three\"}");
	assert_true(str_starts(serve(&tiny_routes[0], "/tiny/1"), STR("Status: 200 ")));
}

static void its_headers_across_origins(void **state)
{
	(void)state;
	s.config.allowed_origins = (char *)"https://a";
	begin("{\"ask\":\"three\"}");
	stub_gateway_param("HTTP_ORIGIN", "https://a");
	assert_true(str_holds(serve(&tiny_routes[0], "/tiny/1"),
			      STR("X-RateLimit-Reset, X-Tiny-Stream\r\nX-Tiny-Stream: v1\r\n")));
}

static void its_preflight(void **state)
{
	struct request request;
	struct reply reply;
	struct str out;

	(void)state;
	s.config.allowed_origins = (char *)"https://a";
	stub_http_request("OPTIONS", "", "");
	stub_gateway_param("HTTP_ORIGIN", "https://a");
	stub_gateway_param("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "POST");
	request_read(&request, &s.gateway, &s.config);
	reply_init(&reply, &s.gateway, &s.wait, &request, &s.config, &tiny_dialect);
	reply_preflight(&reply, "POST");
	out = stub_gateway_out();
	assert_true(str_starts(out, STR("Status: 204 ")));
	assert_true(str_holds(out, STR("Idempotency-Key, X-Request-Id\r\n")));
	assert_true(str_holds(
		out, STR("\r\nAccess-Control-Allow-Headers: X-Tiny-Key, X-Tiny-Wish\r\n\r\n")));
	reply_clear(&reply);
	request_clear(&request);
}

static void its_heartbeat(void **state)
{
	const struct event start = { .kind = EVENT_START,
				     .conversation = STR("c"),
				     .message_id = STR("m") };
	_Alignas(max_align_t) unsigned char memory[DIALECT_STATE] = { 0 };
	struct request request;
	struct reply reply;

	(void)state;
	begin("");
	request_read(&request, &s.gateway, &s.config);
	reply_init(&reply, &s.gateway, &s.wait, &request, &s.config, &tiny_dialect);
	stream_begin(&reply, true, memory);
	assert_int_equal(reply.sink.event(&reply.sink, &start), STATUS_OK);
	assert_int_equal(reply.sink.flush(&reply.sink), STATUS_OK);
	stub_gateway_take();
	s.wait.beat(s.wait.beat_context);
	assert_str(stub_gateway_take(), ": still here\n\n");
	reply_clear(&reply);
	request_clear(&request);
}

static int set_up(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_ERROR, LOG_STDERR);
	return stub_serve_new(&s) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	stub_serve_free(&s);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_stream),
		TEST(its_request_bears_on_its_events),
		TEST(its_error_after_the_start),
		TEST(its_answer),
		TEST(its_errors),
		TEST(its_limits),
		TEST(its_headers_across_origins),
		TEST(its_preflight),
		TEST(its_heartbeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
