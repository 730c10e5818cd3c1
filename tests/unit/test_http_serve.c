/*
 * http/serve and http/exchange: whole requests over stubs, through both APIs. The first failing
 * check decides (G1), what a body may be, what reaches exchange_begin(), what the log says.
 */
#include "stub_serve.h"

static const struct stub_piece pieces[] = {
	{ .bytes = STR(DELTA("Hel") DELTA("lo")) },
	{ .bytes = STR(FINISH("stop") USAGE DONE) },
};

#define TALK "{\"message\":\"three\",\"sessionId\":\"s-1\"}"
#define CHATBOT "/api/v1/chatbots/b-1/chat"

static struct stub_serve s;

static void begin(const char *method, const char *uri, const char *body)
{
	stub_http_request(method, uri, body);
	stub_gateway_param("HTTP_X_API_KEY", s.widget);
	stub_gateway_param("HTTP_AUTHORIZATION", s.workspace);
	stub_serve_script(stub_good, 2, pieces, COUNT(pieces));
}

/* Serves it, and gives back what was written; what was logged goes into `logged`. */
static char logged[2000];

static struct str serve(void)
{
	struct buf log;

	buf_init(&log, sizeof(logged) - 1);
	log_divert(&log);
	http_serve(&s.context);
	log_divert(NULL);
	memcpy(logged, buf_text(&log), log.len + 1);
	buf_clear(&log);
	return stub_gateway_out();
}

static struct str ask(const char *method, const char *uri, const char *body)
{
	begin(method, uri, body);
	return serve();
}

static int set_up(void **state)
{
	(void)state;
	return stub_serve_new(&s) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	stub_serve_free(&s);
	return 0;
}

#define OK_JSON "Status: 200 OK\r\nContent-Type: application/json\r\n" HEAD_REST

static void a_headless_stream(void **state)
{
	(void)state;
	assert_str(ask("POST", "/chat", TALK),
		   "Status: 200 OK\r\nContent-Type: application/x-ndjson\r\n" HEAD_STREAM "\r\n"
		   "{\"type\":\"start\",\"conversationId\":\"c-1\"}\n"
		   "{\"type\":\"token\",\"token\":\"Hel\"}\n"
		   "{\"type\":\"token\",\"token\":\"lo\"}\n"
		   "{\"type\":\"done\",\"message\":\"Hello\",\"conversationId\":\"c-1\"}\n");
	assert_int_equal(s.context.log.end, TURN_DONE);
	assert_int_equal(s.context.log.tokens, 2);
}

static const struct stub_row json_started[] = { { { "started", "c-1", "m-1", [11] = "f" } } };
static const struct stub_answer json_good[] = { { .rows = json_started, .count = 1 }, STORED };

static void a_headless_answer(void **state)
{
	(void)state;
	begin("POST", "/v1/chat/?x=1", TALK);
	stub_serve_script(json_good, 2, pieces, COUNT(pieces));
	assert_str(serve(), OK_JSON "\r\n{\"conversationId\":\"c-1\",\"message\":\"Hello\"}");
}

static void both_ways_through_the_chatbot_api(void **state)
{
	(void)state;
	assert_str(ask("POST", CHATBOT, TALK),
		   "Status: 200 OK\r\nContent-Type: text/event-stream\r\n" HEAD_STREAM "\r\n"
		   "data: {\"type\":\"start\",\"conversationId\":\"c-1\",\"messageId\":\"m-1\"}\n\n"
		   "data: {\"type\":\"token\",\"token\":\"Hel\"}\n\n"
		   "data: {\"type\":\"token\",\"token\":\"lo\"}\n\n"
		   "data: {\"type\":\"done\",\"message\":\"Hello\",\"conversationId\":\"c-1\","
		   "\"messageId\":\"m-1\"}\n\n");
	begin("POST", CHATBOT, TALK);
	stub_serve_script(json_good, 2, pieces, COUNT(pieces));
	assert_str(serve(), OK_JSON "\r\n{\"success\":true,\"data\":{\"response\":\"Hello\","
				    "\"conversationId\":\"c-1\",\"messageId\":\"m-1\"}}");
}

/* What of a request is said to the database, in the order of its values; null: nothing. */
static void what_reaches_the_database(void **state)
{
	static const struct {
		const char *uri, *body, *idempotency, *holds, *lacks;
	} rows[] = {
		{ "/chat", TALK, NULL, "'three'", "'b-1'" },
		{ "/chat", TALK, NULL, "'s-1'", NULL },
		{ "/v1/chat", TALK, NULL, "null, f,", NULL },
		{ "/chat", TALK, NULL, "null, t,", NULL },
		{ "/chat", "{\"message\":\"three\"}", NULL, "null", "'three'" },
		{ "/chat", "{\"message\":\"three\",\"sessionId\":\"a b\"}", NULL, "null",
		  "'three'" },
		{ "/chat", "{\"message\":\"\",\"sessionId\":\"s\"}", NULL, "'s'", "''" },
		{ "/chat", "{\"message\":1,\"sessionId\":\"s\"}", NULL, "'s'", "'1'" },
		{ "/chat", "{\"message\":\"three\",\"sessionId\":\"s\"}x", NULL, "null",
		  "'three'" },
		{ "/chat", "", NULL, "null", "'three'" },
		{ "/chat", TALK, "k-1", "'k-1'", NULL },
		{ "/chat", TALK, "", "null", "'three'" },
		{ "/chat", TALK, "\x7f", "null", "'three'" },
		{ CHATBOT, TALK, NULL, "'b-1'", "'s-1'" },
		{ CHATBOT, TALK, NULL, "'three', null, null,", NULL },
		{ CHATBOT, "{\"message\":\"three\",\"stream\":true}", NULL, "null, t,", NULL },
		{ CHATBOT, "{\"message\":\"three\",\"stream\":false}", NULL, "null, f,", NULL },
		{ CHATBOT, "{\"message\":\"three\",\"stream\":null}", NULL, "'three'", NULL },
		{ CHATBOT, "{\"message\":\"three\",\"stream\":1}", NULL, "null", "'three'" },
		{ CHATBOT, "{\"message\":\"three\",\"metadata\":{\"a\":1e99}}", NULL,
		  "'{\"a\":1e99}'", NULL },
		{ CHATBOT, "{\"message\":\"three\",\"metadata\":[]}", NULL, "null", "'three'" },
		{ CHATBOT, "{\"message\":\"three\",\"conversationId\":\"c-9\"}", NULL, "'c-9'",
		  NULL },
		{ CHATBOT, "{\"message\":\"three\",\"conversationId\":\"c 9\"}", NULL, "''",
		  "'c 9'" },
		{ CHATBOT, "{\"message\":\"three\",\"conversationId\":7}", NULL, "null",
		  "'three'" },
		{ "/api/v1/chatbots/b%31/chat", TALK, NULL, "''", "b%31" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		begin("POST", rows[i].uri, rows[i].body);
		if (rows[i].idempotency)
			stub_gateway_param("HTTP_IDEMPOTENCY_KEY", rows[i].idempotency);
		serve();
		*strstr(journal.text, ") ") = '\0';
		if (!strstr(journal.text, rows[i].holds) ||
		    (rows[i].lacks && strstr(journal.text, rows[i].lacks)))
			fail_msg("%s %s: %s", rows[i].uri, rows[i].body, journal.text);
	}
}

/* The longest message and idempotency key are taken, one more is a bad body. */
static void the_bounds_of_a_request(void **state)
{
	static const struct {
		int message, key;
		bool good;
	} rows[] = { { 4000, 1, true }, { 4001, 1, false }, { 1, 255, true }, { 1, 256, false } };
	char body[8192], key[300];
	size_t i;
	int n, j;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		n = snprintf(body, sizeof(body), "{\"sessionId\":\"s\",\"message\":\"");
		/* Of two bytes each: it is characters that count. */
		for (j = 0; j < rows[i].message; j++)
			n += snprintf(body + n, sizeof(body) - (size_t)n, "\xc3\xa9");
		snprintf(body + n, sizeof(body) - (size_t)n, "\"}");
		memset(key, 'k', sizeof(key));
		key[rows[i].key] = '\0';
		begin("POST", "/chat", body);
		stub_gateway_param("HTTP_IDEMPOTENCY_KEY", key);
		serve();
		assert_true((strstr(journal.text, "\xc3\xa9") != NULL) == rows[i].good);
	}
}

static void what_the_database_refuses(void **state)
{
	static const struct {
		const char *outcome;
		int status;
		const char *headless, *code;
	} rows[] = {
		{ "bad_request", 400, "Invalid request payload", "INVALID_REQUEST" },
		{ "unauthorized", 401, "Unauthorized", "INVALID_API_KEY" },
		{ "key_reused", 409, "Idempotency key reused", "IDEMPOTENCY_KEY_REUSED" },
		{ "in_progress", 409, "Request in progress", "REQUEST_IN_PROGRESS" },
		{ "chatbot_not_found", 404, "Not found", "CHATBOT_NOT_FOUND" },
		{ "full", 429, "Too many requests", "RATE_LIMIT_EXCEEDED" },
		{ "limited", 429, "Too many requests", "RATE_LIMIT_EXCEEDED" },
		{ "conversation_not_found", 404, "Not found", "CONVERSATION_NOT_FOUND" },
		{ "no_credit", 402, "Insufficient credits", "INSUFFICIENT_CREDITS" },
	};
	char said[200];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		const struct stub_row row = {
			{ rows[i].outcome, [3] = "60", [4] = "7", [5] = "1700000000", [6] = "9" }
		};
		const struct stub_answer answer = { .rows = &row, .count = 1 };

		begin("POST", "/chat", TALK);
		stub_serve_script(&answer, 1, pieces, 0);
		serve();
		snprintf(said, sizeof(said), "\r\n\r\n{\"error\":\"%s\"}", rows[i].headless);
		assert_non_null(strstr(stub_gateway.out, said));
		snprintf(said, sizeof(said), "Status: %d ", rows[i].status);
		assert_true(str_starts(stub_gateway_out(), str_from(said)));
		snprintf(said, sizeof(said),
			 "status=%d first_ms=- ms=0 tokens=0 worker=0 cause=\"%s\"", rows[i].status,
			 rows[i].outcome);
		assert_non_null(strstr(logged, said));
		assert_int_equal(s.context.log.end, TURN_NONE);

		begin("POST", CHATBOT, TALK);
		stub_serve_script(&answer, 1, pieces, 0);
		serve();
		snprintf(said, sizeof(said), "\"code\":\"%s\"", rows[i].code);
		assert_non_null(strstr(stub_gateway.out, said));
		assert_non_null(
			strstr(stub_gateway.out,
			       "Retry-After: 9\r\nX-RateLimit-Limit: 60\r\n"
			       "X-RateLimit-Remaining: 7\r\nX-RateLimit-Reset: 1700000000"));
		if (rows[i].status == 429)
			assert_non_null(strstr(stub_gateway.out, ",\"retryAfter\":9}"));
	}
}

static void a_database_that_is_away(void **state)
{
	static const struct {
		enum status status;
		const char *said;
	} rows[] = {
		{ STATUS_UNAVAILABLE, "Status: 503 " },
		{ STATUS_TIMEOUT, "Status: 503 " },
		{ STATUS_FAILED, "Status: 500 " },
		{ STATUS_NOMEM, "Status: 500 " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		const struct stub_answer answer = { .status = rows[i].status };

		begin("POST", "/chat", TALK);
		stub_serve_script(&answer, 1, pieces, 0);
		assert_true(str_starts(serve(), str_from(rows[i].said)));
		assert_int_equal(str_holds(stub_gateway_out(), STR("\r\nRetry-After: 5\r\n")),
				 rows[i].said[8] == '5' && rows[i].said[10] == '3');
	}
}

/* G1, from the top: whatever else is wrong with it, the first failing check decides. */
static void the_first_failing_check_decides(void **state)
{
	(void)state;
	s.config.address_limit = 1;
	/* Neither 404 nor 405 counts. */
	assert_true(str_starts(ask("GET", "/none", "{"), STR("Status: 404 ")));
	assert_true(str_holds(ask("GET", "/api/x", "{"), STR("\"code\":\"NOT_FOUND\"")));
	assert_true(str_starts(ask("GET", "/chat", "{"), STR("Status: 405 ")));
	assert_true(str_holds(stub_gateway_out(), STR("\r\nAllow: POST\r\n")));
	assert_string_equal(journal.text, "");
	stub_http_request("POST", "/chat", "{");
	assert_true(str_starts(serve(), STR("Status: 401 ")));
	/* That one counted; now the address comes before the key. */
	stub_http_request("POST", "/chat", "{");
	assert_true(str_starts(serve(), STR("Status: 429 ")));
	assert_true(str_holds(stub_gateway_out(), STR("\r\nRetry-After: 60\r\n")));
	assert_non_null(strstr(logged, "cause=\"too many requests from this address\""));
	/* The chatbot API knows no such window. */
	stub_http_request("POST", CHATBOT, "{");
	assert_true(str_holds(serve(), STR("\"code\":\"MISSING_AUTH_HEADER\"")));
	stub_http_request("POST", CHATBOT, "{");
	stub_gateway_param("HTTP_AUTHORIZATION", "Bearer none");
	assert_true(str_holds(serve(), STR("\"code\":\"INVALID_API_KEY\"")));
	assert_string_equal(journal.text, "");
}

static void too_many_failed_keys(void **state)
{
	int i;

	(void)state;
	s.config.failed_key_limit = 2;
	for (i = 0; i < 3; i++) {
		stub_http_request("POST", CHATBOT, TALK);
		stub_gateway_param("HTTP_AUTHORIZATION", "Bearer none");
		assert_true(str_starts(serve(), i < 2 ? STR("Status: 401 ") : STR("Status: 429 ")));
	}
	assert_true(str_holds(stub_gateway_out(), STR(",\"retryAfter\":60}")));
	assert_non_null(strstr(logged, "cause=\"too many failed keys from this address\""));
	/* A good key is not refused for its neighbours' bad ones. */
	assert_true(str_starts(ask("POST", CHATBOT, TALK), STR("Status: 200 ")));
}

static void the_cap_of_an_address(void **state)
{
	(void)state;
	s.config.address_open = 1;
	assert_true(limit_hold(s.context.limit, 1, LIMIT_OPEN, STR("192.0.2.7"), 1));
	assert_true(str_starts(ask("POST", "/chat", TALK), STR("Status: 429 ")));
	assert_true(str_holds(stub_gateway_out(), STR("\r\nRetry-After: 1\r\n")));
	assert_string_equal(journal.text, "");
	assert_true(str_starts(ask("POST", CHATBOT, TALK), STR("Status: 200 ")));
	limit_release(s.context.limit, 1);
	assert_true(str_starts(ask("POST", "/chat", TALK), STR("Status: 200 ")));
	/* And was given back. */
	assert_true(str_starts(ask("POST", "/chat", TALK), STR("Status: 200 ")));
}

static struct str ask_as_page(const char *token, const struct stub_answer *answers)
{
	stub_http_request("POST", "/v1/chat", TALK);
	stub_gateway_param("HTTP_X_API_KEY", s.site);
	stub_gateway_param("HTTP_ORIGIN", "https://a");
	if (token)
		stub_gateway_param("HTTP_X_VISITOR_TOKEN", token);
	stub_serve_script(answers, 2, pieces, COUNT(pieces));
	return serve();
}

static void the_caps_of_an_address_s_visitors(void **state)
{
	(void)state;
	s.config.visitor_window_ms = 1000000;
	s.config.visitor_new_limit = 1;
	s.config.visitor_address_limit = 3;
	assert_true(str_starts(ask_as_page(NULL, json_good), STR("Status: 200 ")));
	assert_true(str_starts(ask_as_page(NULL, json_good), STR("Status: 429 ")));
	assert_true(str_holds(stub_gateway_out(), STR("\r\nRetry-After: 1000\r\n")));
	assert_non_null(strstr(logged, "cause=\"too many new visitors from this address\""));
	assert_string_equal(journal.text, "");
	assert_true(str_starts(ask_as_page("vt", json_good), STR("Status: 200 ")));
	assert_true(str_starts(ask_as_page("vt", json_good), STR("Status: 429 ")));
	assert_non_null(strstr(logged, "too many exchanges of visitors from this address"));
	/* Back ends are not their kind. */
	assert_true(str_starts(ask("POST", "/chat", TALK), STR("Status: 200 ")));
}

static void a_warning_when_a_day_is_nearly_used_up(void **state)
{
	static const struct stub_row rows[] = {
		{ { "started", "c-1", "m-1", [11] = "f", [17] = "bot-1", [18] = "80" } },
		{ { "visitors_limited", [6] = "77", [17] = "bot-1" } },
	};
	static const struct stub_answer near[] = { { .rows = rows, .count = 1 }, STORED };
	static const struct stub_answer over[] = { { .rows = rows + 1, .count = 1 }, STORED };

	(void)state;
	assert_true(str_starts(ask_as_page("vt", near), STR("Status: 200 ")));
	assert_non_null(strstr(logged, "the visitors of chatbot bot-1 have used 80 % of what"));
	assert_true(str_starts(ask_as_page("vt", over), STR("Status: 429 ")));
	assert_true(str_holds(stub_gateway_out(), STR("\r\nRetry-After: 77\r\n")));
	assert_null(strstr(logged, "the visitors of"));
	assert_non_null(strstr(logged, "visitors_limited"));
	assert_true(str_starts(ask_as_page("vt", json_good), STR("Status: 200 ")));
	assert_null(strstr(logged, "the visitors of"));
}

static void preflights_are_answered_before_anything_counts(void **state)
{
	(void)state;
	s.config.allowed_origins = (char *)"https://a";
	s.context.duty = HTTP_REFUSE;
	stub_http_request("OPTIONS", CHATBOT, "");
	stub_gateway_param("HTTP_ORIGIN", "https://a");
	stub_gateway_param("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "POST");
	assert_true(str_starts(serve(), STR("Status: 204 ")));
	assert_true(str_holds(stub_gateway_out(), STR("Access-Control-Allow-Methods: POST\r\n")));
	stub_http_request("OPTIONS", CHATBOT, "");
	assert_true(str_starts(serve(), STR("Status: 405 ")));
}

static struct str ask_health(const char *method, const char *uri, const struct stub_answer *answer)
{
	begin(method, uri, "");
	stub_serve_script(answer, 1, pieces, 0);
	return serve();
}

static const struct stub_row yes[] = { { { "t" } } }, no[] = { { { "f" } } };
static const struct stub_answer well = { .rows = yes, .count = 1 };

#define UNAVAILABLE                                                                                \
	"Status: 503 Service Unavailable\r\nContent-Type: application/json\r\n" HEAD_REST          \
	"Retry-After: 5\r\n\r\n{\"status\":\"unavailable\"}"

static void health(void **state)
{
	static const struct stub_answer away = { .status = STATUS_UNAVAILABLE };
	static const struct stub_answer read_only = { .rows = no, .count = 1 };

	(void)state;
	assert_str(ask_health("GET", "/health", &well), OK_JSON "\r\n{\"status\":\"ok\"}");
	assert_str(ask_health("HEAD", "/health/", &well), OK_JSON "\r\n");
	assert_str(ask_health("GET", "/health", &away), UNAVAILABLE);
	assert_false(s.wait.undisturbed);
	assert_str(ask_health("GET", "/health", &read_only), UNAVAILABLE);
	assert_non_null(strstr(logged, "the database is read-only"));
}

static void a_status_listener_knows_its_own_paths(void **state)
{
	(void)state;
	s.context.duty = HTTP_HEALTH;
	assert_true(str_starts(ask_health("GET", "/health", &well), STR("Status: 200 ")));
	assert_true(
		str_holds(ask("POST", "/chat", TALK), STR("\r\n\r\n{\"error\":\"Not found\"}")));
	assert_true(str_holds(ask("POST", CHATBOT, TALK), STR("\"code\":\"NOT_FOUND\"")));
}

static void who_finds_no_worker(void **state)
{
	(void)state;
	s.context.duty = HTTP_REFUSE;
	assert_true(str_holds(ask("POST", "/chat", TALK),
			      STR("Retry-After: 5\r\n\r\n{\"error\":\"Service unavailable\"}")));
	assert_true(str_holds(ask("POST", CHATBOT, TALK), STR("\"SERVICE_UNAVAILABLE\"")));
	assert_true(str_starts(ask("GET", "/health", ""), STR("Status: 503 ")));
	assert_true(str_starts(ask("POST", "/none", TALK), STR("Status: 404 ")));
	assert_string_equal(journal.text, "");
}

static void one_that_is_still_arriving_when_the_worker_must_end(void **state)
{
	(void)state;
	begin("POST", "/chat", TALK);
	stub_gateway.read = STATUS_STOPPED;
	assert_true(str_holds(serve(),
			      STR("Retry-After: 5\r\n\r\n{\"error\":\"Service unavailable\"}")));
	assert_string_equal(journal.text, "");
	assert_non_null(strstr(logged, "cause=\"this worker had to stop\""));
}

static void a_client_that_left_before_it_began(void **state)
{
	(void)state;
	s.wait.client_left = true;
	assert_str(ask("POST", "/chat", TALK), "");
	assert_string_equal(journal.text, "");
	assert_non_null(strstr(logged, "status=0 "));
}

static void the_log_says_no_key(void **state)
{
	char uri[100];

	(void)state;
	snprintf(uri, sizeof(uri), "/x/%s", s.widget);
	ask("GET", uri, "");
	assert_non_null(strstr(logged, "request=r-1 method=GET path=(a-key) status=404 "));
	assert_null(strstr(logged, s.widget));
	ask("POST", "/chat?a=b", TALK);
	assert_non_null(
		strstr(logged,
		       "path=/chat status=200 first_ms=0 ms=0 tokens=2 worker=0 server=default\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void show(const void *shown, enum http_shown what, struct buf *out)
{
	buf_printf(out, "%s %d", (const char *)shown, (int)what);
}

static struct str ask_shown(const char *uri, const char *accept)
{
	begin("GET", uri, "");
	if (accept)
		stub_gateway_param("HTTP_ACCEPT", accept);
	return serve();
}

static bool says(struct str reply, const char *type, const char *body)
{
	char text[200];
	int n = snprintf(text, sizeof(text), "\r\n\r\n%s", body);

	return str_starts(reply, STR("Status: 200 OK\r\n")) && str_holds(reply, str_from(type)) &&
	       str_equal(str_skip(reply, reply.n - (size_t)n), str_from(text));
}

static void the_pool_is_shown_where_a_setting_says_so_and_nowhere_else(void **state)
{
	static const char *const uris[] = { "/metrics", "/status", "/metrics/" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(uris); i++) {
		s.context.duty = HTTP_HEALTH;
		assert_true(str_starts(ask_shown(uris[i], NULL), STR("Status: 404")));
		s.config.status_shows = 1; /* nobody is there who could show it */
		assert_true(str_starts(ask_shown(uris[i], NULL), STR("Status: 404")));
		s.context.show = show;
		s.context.shown = "pool";
		assert_true(str_starts(ask_shown(uris[i], NULL), STR("Status: 200")));
		s.context.duty = HTTP_ALL;
		assert_true(str_starts(ask_shown(uris[i], NULL), STR("Status: 404")));
		s.context.duty = HTTP_REFUSE;
		assert_true(str_starts(ask_shown(uris[i], NULL), STR("Status: 404")));
		s.config.status_shows = 0;
		s.context.show = NULL;
	}
}

static void the_form_is_the_one_that_is_asked_for(void **state)
{
	static const char plain[] = "text/plain; version=0.0.4; charset=utf-8\r\n",
			  open[] = "application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
	static const struct {
		const char *accept;
		bool open;
	} rows[] = {
		{ NULL, false },
		{ "", false },
		{ "*/*", false },
		{ "application/openmetrics-text", true },
		{ "application/openmetrics-text;q=0", false },
		{ "application/openmetrics-text ; version=1.0.0 ; q=0.5, text/plain;q=0.4", true },
		{ "text/plain, application/openmetrics-text;q=0.999", false },
		{ "text/plain;q=0.01, application/openmetrics-text;q=0.1", true },
		{ "APPLICATION/OPENMETRICS-TEXT", true },
		{ ";,;q=,q=1;,application/openmetrics-text;q=x", true },
	};
	size_t i;

	(void)state;
	s.context.duty = HTTP_HEALTH;
	s.config.status_shows = 1;
	s.context.show = show;
	s.context.shown = "pool";
	for (i = 0; i < COUNT(rows); i++)
		assert_true(says(ask_shown("/metrics", rows[i].accept), rows[i].open ? open : plain,
				 rows[i].open ? "pool 1" : "pool 0"));
	assert_true(says(ask_shown("/status", NULL), "application/json\r\n", "pool 2"));
}

/* By the pattern of its route, whatever its path was, and by its status. */
static void a_request_is_counted_by_its_route(void **state)
{
	struct counter_table *table = NULL;
	struct counters counters;
	unsigned route;

	(void)state;
	assert_int_equal(counter_table_open(NULL, 1, &table, NULL), STATUS_OK);
	counters = counter_table_take(table, 0);
	s.wait.counters = &counters;
	ask("POST", CHATBOT, TALK);
	ask("GET", "/nowhere", "");
	ask("GET", "/api/nowhere", "");
	ask("PUT", "/v1/chat", "");
	assert_int_equal(counter_table_sum(table, COUNTER_REQUESTS), 4);
	route = counter_name(table, COUNTER_SET_ROUTE,
			     STR("chatbot /api/v1/chatbots/{chatbot}/chat"));
	assert_int_equal(route, 0);
	assert_int_equal(
		counter_table_sum_at(table, COUNTER_REQUESTS, route, COUNTER_STATUS_200, 0), 1);
	route = counter_name(table, COUNTER_SET_ROUTE, STR("headless none"));
	assert_int_equal(
		counter_table_sum_at(table, COUNTER_REQUESTS, route, COUNTER_STATUS_404, 0), 1);
	route = counter_name(table, COUNTER_SET_ROUTE, STR("chatbot none"));
	assert_int_equal(
		counter_table_sum_at(table, COUNTER_REQUESTS, route, COUNTER_STATUS_404, 0), 1);
	route = counter_name(table, COUNTER_SET_ROUTE, STR("headless /v1/chat"));
	assert_int_equal(
		counter_table_sum_at(table, COUNTER_REQUESTS, route, COUNTER_STATUS_405, 0), 1);
	assert_null(counter_set_value(table, COUNTER_SET_ROUTE, 4));
	assert_int_equal(counter_table_sum(table, COUNTER_TOKENS), 2);
	assert_int_equal(counter_table_sum(table, COUNTER_EXCHANGES), 1);
	assert_int_equal(counter_table_sum(table, COUNTER_BEGUN), 1);
	assert_int_equal(counter_table_sum(table, COUNTER_MODEL_REQUESTS), 1);
	assert_int_equal(counter_table_sum(table, COUNTER_MODEL_FAILURES), 0);
	assert_int_equal(counter_table_sum(table, COUNTER_FIRST), 1);
	assert_int_equal(counter_table_sum(table, COUNTER_TIMES), 1);
	assert_int_equal(counter_table_sum(table, COUNTER_STREAMS), 0);
	s.wait.counters = NULL;
	counter_table_close(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_pool_is_shown_where_a_setting_says_so_and_nowhere_else),
		TEST(the_form_is_the_one_that_is_asked_for),
		TEST(a_request_is_counted_by_its_route),
		TEST(a_headless_stream),
		TEST(a_headless_answer),
		TEST(both_ways_through_the_chatbot_api),
		TEST(what_reaches_the_database),
		TEST(the_bounds_of_a_request),
		TEST(what_the_database_refuses),
		TEST(a_database_that_is_away),
		TEST(the_first_failing_check_decides),
		TEST(too_many_failed_keys),
		TEST(the_cap_of_an_address),
		TEST(the_caps_of_an_address_s_visitors),
		TEST(a_warning_when_a_day_is_nearly_used_up),
		TEST(preflights_are_answered_before_anything_counts),
		TEST(health),
		TEST(a_status_listener_knows_its_own_paths),
		TEST(who_finds_no_worker),
		TEST(one_that_is_still_arriving_when_the_worker_must_end),
		TEST(a_client_that_left_before_it_began),
		TEST(the_log_says_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
