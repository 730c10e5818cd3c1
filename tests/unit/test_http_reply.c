/* http/reply: heads as values, line by line and in their order; whole replies; what is cacheable. */
#include "stub_http.h"

#include "http/chatbot.h"
#include "http/headless.h"
#include "http/reply.h"

static struct gateway gateway;

/* A reply to a request that has been read; the test makes the request before, and sends after. */
struct given {
	struct config config;
	struct wait wait;
	struct request request;
	struct reply reply;
};

static void begin(struct given *given, const struct dialect *dialect)
{
	wait_init(&given->wait);
	request_read(&given->request, &gateway, &given->config);
	reply_init(&given->reply, &gateway, &given->wait, &given->request, &given->config, dialect);
}

static void end(struct given *given)
{
	reply_clear(&given->reply);
	request_clear(&given->request);
	assert_null(given->wait.beat);
	assert_true(given->wait.beat_at == CLOCK_NEVER);
}

static void ask(struct given *given, const char *method)
{
	*given = (struct given){ .config = stub_http_config() };
	stub_http_request(method, "/chat", "");
}

static void the_smallest_head(void **state)
{
	const struct reply_head head = { .status = 200, .type = "text/plain" };
	struct given given;

	(void)state;
	ask(&given, "POST");
	begin(&given, &dialect_headless);
	reply_send(&given.reply, &head, STR("hello"));
	assert_str(stub_gateway_out(),
		   "Status: 200 OK\r\nContent-Type: text/plain\r\n" HEAD_REST "\r\nhello");
	assert_int_equal(stub_gateway.writes, 1);
	assert_int_equal(given.reply.status, 200);
	end(&given);
}

static void every_line_in_its_order(void **state)
{
	static const struct reply_header more[] = { { "X-One", "1" },
						    { "X-Two", "2" },
						    { NULL, NULL } };
	const struct reply_head head = { .status = 429,
					 .type = "text/plain",
					 .cache = CACHE_STREAM,
					 .etag = "\"e\"",
					 .headers = more };
	struct given given;

	(void)state;
	ask(&given, "POST");
	stub_gateway_param("HTTP_ORIGIN", HTTP_ORIGIN_LISTED);
	given.config.allowed_origins = (char *)HTTP_ORIGIN_LISTED;
	begin(&given, &dialect_headless);
	given.reply.allow = "GET, HEAD";
	given.reply.retry_s = 7;
	given.reply.limit = 10;
	given.reply.remaining = 0;
	given.reply.reset = 1700000000;
	reply_put_head(&given.reply, &head);
	assert_int_equal(stub_gateway.writes, 0);
	reply_flush(&given.reply);
	assert_str(stub_gateway_out(),
		   "Status: 429 Too Many Requests\r\nContent-Type: text/plain\r\n" HEAD_STREAM
		   "Vary: Origin\r\nAccess-Control-Allow-Origin: " HTTP_ORIGIN_LISTED
		   "\r\n" HEAD_EXPOSED "\r\nAllow: GET, HEAD\r\nRetry-After: 7\r\n"
		   "X-RateLimit-Limit: 10\r\nX-RateLimit-Remaining: 0\r\n"
		   "X-RateLimit-Reset: 1700000000\r\nETag: \"e\"\r\nX-One: 1\r\nX-Two: 2\r\n\r\n");
	end(&given);
}

static void every_status_has_its_reason(void **state)
{
	static const char *const lines[] = {
		"Status: 200 OK\r\n",
		"Status: 204 No Content\r\n",
		"Status: 304 Not Modified\r\n",
		"Status: 400 Bad Request\r\n",
		"Status: 401 Unauthorized\r\n",
		"Status: 402 Payment Required\r\n",
		"Status: 404 Not Found\r\n",
		"Status: 405 Method Not Allowed\r\n",
		"Status: 409 Conflict\r\n",
		"Status: 429 Too Many Requests\r\n",
		"Status: 500 Internal Server Error\r\n",
		"Status: 503 Service Unavailable\r\n",
	};
	struct given given;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lines); i++) {
		ask(&given, "POST");
		begin(&given, &dialect_headless);
		reply_send(&given.reply, &(struct reply_head){ .status = atoi(lines[i] + 8) },
			   STR(""));
		assert_true(str_starts(stub_gateway_out(), str_from(lines[i])));
		end(&given);
	}
}

static void origins(void **state)
{
	static const struct {
		const char *list, *origin;
		bool vary, allowed;
	} rows[] = {
		{ "", NULL, false, false },
		{ "", "https://a", false, false },
		{ "https://a", NULL, true, false },
		{ "https://a", "https://b", true, false },
		{ "https://a", "https://a", true, true },
	};
	const struct reply_head head = { .status = 200 };
	struct given given;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		ask(&given, "POST");
		if (rows[i].origin)
			stub_gateway_param("HTTP_ORIGIN", rows[i].origin);
		given.config.allowed_origins = (char *)rows[i].list;
		begin(&given, &dialect_headless);
		reply_send(&given.reply, &head, STR(""));
		assert_int_equal(str_holds(stub_gateway_out(), STR("\r\nVary: Origin\r\n")),
				 rows[i].vary);
		assert_int_equal(str_holds(stub_gateway_out(), STR("Access-Control-")),
				 rows[i].allowed);
		end(&given);
	}
}

static void a_dialect_exposes_more(void **state)
{
	const struct reply_head head = { .status = 200 };
	struct dialect own = dialect_headless;
	struct given given;

	(void)state;
	own.exposed_headers = "X-Own, X-Other";
	ask(&given, "POST");
	stub_gateway_param("HTTP_ORIGIN", "https://a");
	given.config.allowed_origins = (char *)"https://a";
	begin(&given, &own);
	reply_send(&given.reply, &head, STR(""));
	assert_true(str_holds(stub_gateway_out(), STR(HEAD_EXPOSED ", X-Own, X-Other\r\n")));
	end(&given);
}

#define ALLOWED                                                                                    \
	"Access-Control-Allow-Methods: GET, HEAD\r\n"                                              \
	"Access-Control-Allow-Headers: x-api-key, x-widget-api-key, Authorization, Content-Type, " \
	"Idempotency-Key, X-Request-Id\r\nAccess-Control-Max-Age: 600\r\n"

static void preflights(void **state)
{
	struct given given;

	(void)state;
	ask(&given, "OPTIONS");
	stub_gateway_param("HTTP_ORIGIN", "https://a");
	given.config.allowed_origins = (char *)"https://a";
	begin(&given, &dialect_headless);
	reply_preflight(&given.reply, "GET, HEAD");
	assert_str(stub_gateway_out(), "Status: 204 No Content\r\n" HEAD_REST
				       "Vary: Origin\r\nAccess-Control-Allow-Origin: https://a"
				       "\r\n" HEAD_EXPOSED "\r\n" ALLOWED "\r\n");
	end(&given);
	ask(&given, "OPTIONS");
	stub_gateway_param("HTTP_ORIGIN", "https://b");
	given.config.allowed_origins = (char *)"https://a";
	begin(&given, &dialect_headless);
	reply_preflight(&given.reply, "GET, HEAD");
	assert_str(stub_gateway_out(),
		   "Status: 204 No Content\r\n" HEAD_REST "Vary: Origin\r\n\r\n");
	end(&given);
}

/* Whatever list there is, and whoever asks. */
static void any_page_may_read_it(void **state)
{
	const struct reply_head head = { .status = 429 };
	struct given given;

	(void)state;
	ask(&given, "OPTIONS");
	stub_gateway_param("HTTP_ORIGIN", "https://b");
	begin(&given, &dialect_headless);
	given.reply.any_origin = true;
	reply_preflight(&given.reply, "POST");
	assert_true(str_holds(stub_gateway_out(), STR("\r\nAccess-Control-Allow-Origin: *\r\n")));
	assert_true(str_holds(
		stub_gateway_out(),
		STR("Idempotency-Key, X-Request-Id, "
		    "X-Visitor-Token, X-Visitor-Identity, X-Session-Id, Last-Event-ID\r\n")));
	end(&given);

	ask(&given, "POST");
	stub_gateway_param("HTTP_ORIGIN", "https://a");
	given.config.allowed_origins = (char *)"https://a";
	begin(&given, &dialect_headless);
	given.reply.any_origin = true;
	given.reply.visitor = "vt-site_x";
	reply_send(&given.reply, &head, STR(""));
	assert_true(str_holds(stub_gateway_out(), STR("\r\nAccess-Control-Allow-Origin: *\r\n")));
	assert_true(str_holds(stub_gateway_out(), STR(HEAD_EXPOSED ", X-Visitor-Token\r\n")));
	assert_true(str_holds(stub_gateway_out(), STR("\r\nX-Visitor-Token: vt-site_x\r\n")));
	end(&given);
}

static void a_head_request_gets_no_body(void **state)
{
	const struct reply_head head = { .status = 200, .type = "text/plain" };
	struct given given;

	(void)state;
	ask(&given, "HEAD");
	begin(&given, &dialect_headless);
	reply_send(&given.reply, &head, STR("hello"));
	assert_str(stub_gateway_out(),
		   "Status: 200 OK\r\nContent-Type: text/plain\r\n" HEAD_REST "\r\n");
	end(&given);
	ask(&given, "HEAD");
	begin(&given, &dialect_headless);
	reply_error(&given.reply, ERROR_NOT_FOUND);
	assert_str(stub_gateway_out(),
		   "Status: 404 Not Found\r\nContent-Type: application/json\r\n" HEAD_REST "\r\n");
	end(&given);
}

static void data_is_as_its_dialect_has_it(void **state)
{
	static const struct {
		const char *method;
		const struct dialect *dialect;
		struct str json;
		const char *head, *body;
	} rows[] = {
		{ "GET", &dialect_headless, STR("{}"), "200 OK\r\nContent-Type: application/json",
		  "{}" },
		{ "HEAD", &dialect_headless, STR("{}"), "200 OK\r\nContent-Type: application/json",
		  "" },
		{ "DELETE", &dialect_headless, STR_NONE, "204 No Content", "" },
		{ "GET", &dialect_chatbot, STR("{\"a\":1}"),
		  "200 OK\r\nContent-Type: application/json",
		  "{\"success\":true,\"data\":{\"a\":1}}" },
		{ "HEAD", &dialect_chatbot, STR("{}"), "200 OK\r\nContent-Type: application/json",
		  "" },
		{ "DELETE", &dialect_chatbot, STR_NONE, "200 OK\r\nContent-Type: application/json",
		  "{\"success\":true,\"data\":{}}" },
	};
	struct given given;
	char whole[500];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		ask(&given, rows[i].method);
		begin(&given, rows[i].dialect);
		reply_data(&given.reply, 200, rows[i].json);
		snprintf(whole, sizeof(whole), "Status: %s\r\n" HEAD_REST "\r\n%s", rows[i].head,
			 rows[i].body);
		assert_same(stub_gateway_out(), str_from(whole));
		end(&given);
	}
}

static void an_error_says_what_is_known(void **state)
{
	struct given given;

	(void)state;
	ask(&given, "POST");
	begin(&given, &dialect_chatbot);
	given.reply.retry_s = 3;
	given.reply.limit = 5;
	reply_error(&given.reply, ERROR_TOO_MANY);
	assert_str(
		stub_gateway_out(),
		"Status: 429 Too Many Requests\r\nContent-Type: application/json\r\n" HEAD_REST
		"Retry-After: 3\r\nX-RateLimit-Limit: 5\r\nX-RateLimit-Remaining: 0\r\n"
		"X-RateLimit-Reset: 0\r\n\r\n{\"success\":false,\"error\":\"Rate limit exceeded. "
		"Please wait before sending another message.\",\"code\":\"RATE_LIMIT_EXCEEDED\","
		"\"retryAfter\":3}");
	end(&given);
}

/* RFC 9110, 13.1.2. */
static void what_a_client_has_is_not_sent_again(void **state)
{
	static const struct {
		const char *method, *tags, *etag;
		int status, answer;
	} rows[] = {
		{ "GET", "\"a\"", "\"a\"", 200, 304 },
		{ "HEAD", "\"a\"", "\"a\"", 200, 304 },
		{ "GET", "*", "\"a\"", 200, 304 },
		{ "GET", " * ", "\"a\"", 200, 304 },
		{ "GET", "\"b\", W/\"a\" ,\"c\"", "\"a\"", 200, 304 },
		{ "GET", "\"a\"", "W/\"a\"", 200, 304 },
		{ "GET", "\"b\"", "\"a\"", 200, 200 },
		{ "GET", "a", "\"a\"", 200, 200 },
		{ "GET", "\"a", "\"a\"", 200, 200 },
		{ "GET", "", "\"a\"", 200, 200 },
		{ "GET", NULL, "\"a\"", 200, 200 },
		{ "GET", "*", NULL, 200, 200 },
		{ "POST", "\"a\"", "\"a\"", 200, 200 },
		{ "GET", "\"a\"", "\"a\"", 404, 404 },
	};
	struct reply_head head = { .type = "text/css", .cache = CACHE_REVALIDATE };
	struct given given;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		ask(&given, rows[i].method);
		if (rows[i].tags)
			stub_gateway_param("HTTP_IF_NONE_MATCH", rows[i].tags);
		head.status = rows[i].status;
		head.etag = rows[i].etag;
		begin(&given, &dialect_headless);
		reply_send(&given.reply, &head, STR("body"));
		assert_int_equal(given.reply.status, rows[i].answer);
		assert_int_equal(str_holds(stub_gateway_out(), STR("\r\nContent-Type: ")),
				 rows[i].answer != 304);
		assert_int_equal(str_holds(stub_gateway_out(), STR("\r\n\r\nbody")),
				 rows[i].answer != 304 && rows[i].method[0] != 'H');
		end(&given);
	}
}

static void a_304_says_what_the_200_would(void **state)
{
	const struct reply_head head = {
		.status = 200, .type = "text/css", .cache = CACHE_REVALIDATE, .etag = "\"a\""
	};
	struct given given;

	(void)state;
	ask(&given, "GET");
	stub_gateway_param("HTTP_IF_NONE_MATCH", "\"a\"");
	given.config.allowed_origins = (char *)"https://a";
	begin(&given, &dialect_headless);
	reply_send(&given.reply, &head, STR("body"));
	assert_str(stub_gateway_out(),
		   "Status: 304 Not Modified\r\n" HEAD_ID "Cache-Control: no-cache\r\n" HEAD_SAFE
		   "Vary: Origin\r\nETag: \"a\"\r\n\r\n");
	end(&given);
}

static void a_write_moves_the_heartbeat_and_tells_who_left(void **state)
{
	struct given given;

	(void)state;
	ask(&given, "POST");
	begin(&given, &dialect_headless);
	reply_flush(&given.reply);
	assert_int_equal(stub_gateway.writes, 0);
	assert_true(given.wait.beat_at == CLOCK_NEVER);
	stub_gateway.refuse_at = 2;
	buf_puts(&given.reply.out, "one");
	reply_flush(&given.reply);
	assert_false(given.reply.closed);
	assert_int_equal(given.wait.beat_at, stub_time.now + 15000);
	buf_puts(&given.reply.out, "two");
	reply_flush(&given.reply);
	assert_true(given.reply.closed);
	/* Nobody is written to again. */
	buf_puts(&given.reply.out, "three");
	reply_flush(&given.reply);
	assert_int_equal(stub_gateway.writes, 2);
	assert_str(stub_gateway_out(), "one");
	end(&given);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_head),
		cmocka_unit_test(every_line_in_its_order),
		cmocka_unit_test(every_status_has_its_reason),
		cmocka_unit_test(origins),
		cmocka_unit_test(a_dialect_exposes_more),
		cmocka_unit_test(preflights),
		cmocka_unit_test(any_page_may_read_it),
		cmocka_unit_test(a_head_request_gets_no_body),
		cmocka_unit_test(data_is_as_its_dialect_has_it),
		cmocka_unit_test(an_error_says_what_is_known),
		cmocka_unit_test(what_a_client_has_is_not_sent_again),
		cmocka_unit_test(a_304_says_what_the_200_would),
		cmocka_unit_test(a_write_moves_the_heartbeat_and_tells_who_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
