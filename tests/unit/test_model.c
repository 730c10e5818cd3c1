/* chat/model: requests, refusals, limits; the transfer is a stub. Streams: test_model_stream. */
#include "stub_model.h"

#include "wire/json.h"

static char hosted[] = "hosted";

static void request_is_the_protocols(void **state)
{
	static const char expected[] =
		"{\"model\":\"gpt-x\",\"temperature\":0.25,\"max_tokens\":256,\"stream\":true,"
		"\"stream_options\":{\"include_usage\":true},\"messages\":["
		"{\"role\":\"system\",\"content\":\"Be \\\"kind\\\".\"},"
		"{\"role\":\"user\",\"content\":\"one\"},"
		"{\"role\":\"assistant\",\"content\":\"two\\n\"},"
		"{\"role\":\"user\",\"content\":\"\\u0001\xf0\x9f\x98\x80\"}]}";
	const struct model_options options = {
		.name = STR("gpt-x"),
		.temperature = STR("0.25"),
		.max_tokens = 256,
	};
	struct model *model;
	struct stage stage = { .at = STAGE_IDLE };

	(void)state;
	journal_clear();
	stub_http_script(NULL, 0);
	model = make_model();
	assert_string_equal(
		journal.text,
		"target(http://model/v1/chat/completions, Authorization: Bearer the-key\n"
		"Content-Type: application/json\n"
		"Accept: text/event-stream, application/json) ");
	model_begin(model, &config.model_servers[0], &options);
	model_message(model, MODEL_SYSTEM, STR("Be \"kind\"."));
	model_message(model, MODEL_USER, STR("one"));
	model_message(model, MODEL_ASSISTANT, STR("two\n"));
	model_message(model, MODEL_USER, STR("\1\xf0\x9f\x98\x80"));
	assert_int_equal(model_start(model, 4711, &stage), STATUS_OK);
	assert_string_equal(stub_http.url, "http://model/v1/chat/completions");
	assert_int_equal(stub_http.deadline, 4711);
	assert_int_equal(stage.at, STAGE_CONNECT);
	assert_same(stub_http_body(), str_from(expected));
	model_free(model);
}

static struct json_node member(struct json_node node, const char *name, enum json_type type)
{
	struct json_node found = json_member(node, name);

	assert_int_equal(json_type_of(found), type);
	return found;
}

static void request_without_options_has_none(void **state)
{
	const struct model_options none = { .name = STR_NONE };
	struct model *model;
	struct json *json = NULL;
	struct json_node root;
	struct str text;
	bool yes = false;
	int round;

	(void)state;
	stub_http_script(NULL, 0);
	model = make_model();
	/* The second request has nothing of the first. */
	for (round = 0; round < 2; round++) {
		model_begin(model, &config.model_servers[0], &none);
		model_message(model, MODEL_USER, STR("hi"));
		assert_int_equal(model_start(model, 1, NULL), STATUS_OK);
		assert_int_equal(json_parse(stub_http_body(), &json), STATUS_OK);
		root = json_root(json);
		assert_true(json_get_string(member(root, "model", JSON_STRING), &text));
		assert_str(text, "gpt-default");
		member(root, "temperature", JSON_ABSENT);
		member(root, "max_tokens", JSON_ABSENT);
		assert_true(json_get_boolean(member(root, "stream", JSON_BOOLEAN), &yes));
		assert_true(yes);
		assert_int_equal(json_length(member(root, "messages", JSON_ARRAY)), 1);
		json_free(json);
	}
	model_free(model);
}

static void play_script(struct model *model, int http, const struct stub_piece *pieces,
			size_t count, enum status expected)
{
	const struct model_options none = { .name = STR_NONE };
	struct answer answer = { .ended = false };
	struct wait wait;

	wait_init(&wait);
	stub_http_script(pieces, count);
	stub_http.http = http;
	model_begin(model, &config.model_servers[0], &none);
	assert_int_equal(model_start(model, 1, NULL), STATUS_OK);
	while (answer.status == STATUS_OK && !answer.ended)
		answer.status = model_next(model, &wait, 1, take_text, &answer, &answer.ended);
	assert_int_equal(answer.status, expected);
	assert_int_equal(answer.n, 0);
	assert_null(strstr(model_cause(model), SECRET));
}

static void play_http(struct model *model, int http, const struct stub_piece *pieces, size_t count,
		      enum status expected)
{
	char number[8];

	play_script(model, http, pieces, count, expected);
	snprintf(number, sizeof(number), "%d", http);
	if (expected == STATUS_REFUSED)
		assert_non_null(strstr(model_cause(model), number));
}

static void another_http_status_is_a_refusal(void **state)
{
	static const struct stub_piece body[] = {
		{ .bytes = STR("") }, { .bytes = STR(DELTA(SECRET) DONE), .ended = true }
	};
	static const struct stub_piece empty[] = { { .bytes = STR(""), .ended = true } };
	static const struct stub_piece lost[] = { { .bytes = STR(""),
						    .status = STATUS_UNAVAILABLE } };
	static const struct stub_piece late[] = { { .bytes = STR(""), .status = STATUS_TIMEOUT } };
	static const int codes[] = { 300, 302, 400, 401, 404, 429, 500, 503 };
	struct model *model = make_model();
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(codes); i++) {
		play_http(model, codes[i], body, 2, STATUS_REFUSED);
		play_http(model, codes[i], empty, 1, STATUS_REFUSED);
		assert_int_equal(model_http_status(model), codes[i]);
		play_http(model, codes[i], lost, 1, STATUS_UNAVAILABLE);
	}
	play_http(model, 0, lost, 1, STATUS_UNAVAILABLE);
	play_http(model, 0, late, 1, STATUS_TIMEOUT);
	model_free(model);
}

/* Every 2xx is a success: what counts is what comes with it. */
static void created_with_a_good_stream_is_an_answer(void **state)
{
	static const struct stub_piece good[] = { { .bytes = STR(HELLO FINISH("stop") DONE) } };
	static const struct stub_piece empty[] = { { .bytes = STR(""), .ended = true } };
	static const int codes[] = { 200, 201, 202, 203, 206, 299 };
	const struct model_options none = { .name = STR_NONE };
	struct model *model = make_model();
	struct wait wait;
	size_t i;

	(void)state;
	wait_init(&wait);
	for (i = 0; i < COUNT(codes); i++) {
		struct answer answer = { .ended = false };

		stub_http_script(good, 1);
		stub_http.http = codes[i];
		model_begin(model, &config.model_servers[0], &none);
		assert_int_equal(model_start(model, 1, NULL), STATUS_OK);
		assert_int_equal(model_next(model, &wait, 1, take_text, &answer, &answer.ended),
				 STATUS_OK);
		assert_true(answer.ended);
		assert_string_equal(answer.text, "Hel|lo");
	}
	play_script(model, 204, empty, 1, STATUS_UNAVAILABLE);
	model_free(model);
}

static void each_silence_has_its_words_and_its_setting(void **state)
{
	static const struct stub_piece late[] = { { .bytes = STR(""), .status = STATUS_TIMEOUT } };
	static const struct {
		enum http_end end;
		size_t server;
		const char *cause;
	} cases[] = {
		{ HTTP_END_LATE_FIRST, 0,
		  "the model did not begin to answer in time (BANTER_MODEL_FIRST_TIME)" },
		{ HTTP_END_LATE_FIRST, 1,
		  "the model did not begin to answer in time ([hosted] FIRST_TIME)" },
		{ HTTP_END_LATE_NEXT, 0, "the model fell silent (BANTER_MODEL_IDLE_TIME)" },
		{ HTTP_END_LATE_NEXT, 1, "the model fell silent ([hosted] IDLE_TIME)" },
		{ HTTP_END_LATE_DEADLINE, 1,
		  "the exchange took too long (BANTER_EXCHANGE_TIME, in one piece "
		  "BANTER_JSON_TIME)" },
		{ HTTP_END_LATE, 0, "the client's words" },
	};
	const struct model_options none = { .name = STR_NONE };
	struct config two = config;
	struct model *model = NULL;
	struct wait wait;
	bool ended;
	size_t i;

	(void)state;
	two.model_servers[1] = two.model_servers[0];
	two.model_servers[1].name = hosted;
	two.model_server_count = 2;
	stub_http_script(NULL, 0);
	assert_int_equal(model_new(&two, &model), STATUS_OK);
	wait_init(&wait);
	for (i = 0; i < COUNT(cases); i++) {
		stub_http_script(late, 1);
		stub_http.end = cases[i].end;
		stub_http.cause = "the client's words";
		model_begin(model, &two.model_servers[cases[i].server], &none);
		assert_int_equal(model_start(model, 1, NULL), STATUS_OK);
		assert_int_equal(model_next(model, &wait, 1, take_text, NULL, &ended),
				 STATUS_TIMEOUT);
		assert_string_equal(model_cause(model), cases[i].cause);
	}
	model_free(model);
}

/* Each server gets the name that it knows the model by; one that has not got it, the chatbot's own. */
static void a_server_is_asked_for_the_model_by_its_own_name(void **state)
{
	static char models[] = "gpt-default=vendor/m:free,b";
	static const struct {
		struct str name; /* absent: the settings' */
		size_t server;
		const char *sent;
	} cases[] = {
		{ STR_NONE, 0, "\"model\":\"gpt-default\"" },
		{ STR_NONE, 1, "\"model\":\"vendor/m:free\"" },
		{ STR("b"), 1, "\"model\":\"b\"" },
		{ STR("c"), 1, "\"model\":\"c\"" },
		{ STR("c"), 0, "\"model\":\"c\"" },
	};
	struct config two = config;
	struct model *model = NULL;
	size_t i;

	(void)state;
	two.model_servers[1] = two.model_servers[0];
	two.model_servers[1].name = hosted;
	two.model_servers[1].models = models;
	two.model_server_count = 2;
	stub_http_script(NULL, 0);
	assert_int_equal(model_new(&two, &model), STATUS_OK);
	for (i = 0; i < COUNT(cases); i++) {
		const struct model_options options = { .name = cases[i].name };

		model_begin(model, &two.model_servers[cases[i].server], &options);
		assert_int_equal(model_start(model, 1, NULL), STATUS_OK);
		assert_non_null(memmem(stub_http.body, stub_http.body_n, cases[i].sent,
				       strlen(cases[i].sent)));
		model_stop(model);
	}
	model_free(model);
}

/* What the server's words mean is test_model_refusal.c's; here: that they are read, and when. */
static void a_refusal_for_length_is_told(void **state)
{
	static const struct stub_piece whole[] = {
		{ .bytes = STR("{\"error\":{\"code\":\"context_") },
		{ .bytes = STR("") },
		{ .bytes = STR("length_exceeded\"}}"), .ended = true }
	};
	static const struct stub_piece cut[] = { { .bytes = STR("context length") },
						 { .bytes = STR(""),
						   .status = STATUS_UNAVAILABLE } };
	static const struct stub_piece left[] = { { .bytes = STR("context length") },
						  { .bytes = STR(""), .status = STATUS_CLOSED } };
	static const struct stub_piece other[] = { { .bytes = STR("{\"error\":\"no\"}"),
						     .ended = true } };
	static const struct stub_piece event[] = {
		{ .bytes = STR("data: {\"error\":{\"message\":\"the context length\"}}\n\n") }
	};
	static char long_body[20000];
	const struct stub_piece endless[] = { { .bytes = { long_body, sizeof(long_body) } } };
	struct model *model = make_model();

	(void)state;
	memset(long_body, ' ', sizeof(long_body));
	memcpy(long_body, "context size", 12);
	play_http(model, 400, whole, 3, STATUS_REFUSED);
	assert_true(model_failed(model)->too_long);
	play_http(model, 422, cut, 2, STATUS_REFUSED);
	assert_true(model_failed(model)->too_long);
	play_http(model, 400, left, 2, STATUS_CLOSED);
	play_http(model, 400, endless, 1, STATUS_REFUSED);
	assert_true(model_failed(model)->too_long);
	play_http(model, 400, other, 1, STATUS_REFUSED);
	assert_false(model_failed(model)->too_long);
	play_http(model, 500, whole, 3, STATUS_REFUSED);
	assert_true(model_failed(model)->too_long);
	play_http(model, 502, whole, 1, STATUS_REFUSED);
	assert_false(model_failed(model)->too_long);
	play_script(model, 200, event, 1, STATUS_REFUSED);
	assert_true(model_failed(model)->too_long);
	model_free(model);
}

static const struct model_failure *fail_with(struct model *model, const struct stub_piece *piece)
{
	struct answer answer = { .ended = false };
	const struct model_options none = { .name = STR_NONE };
	struct wait wait;

	wait_init(&wait);
	stub_http_script(piece, 1);
	stub_http.http = piece->http;
	model_begin(model, &config.model_servers[0], &none);
	assert_int_equal(model_start(model, CLOCK_NEVER, NULL), STATUS_OK);
	answer.status = model_next(model, &wait, CLOCK_NEVER, take_text, &answer, &answer.ended);
	assert_int_not_equal(answer.status, STATUS_OK);
	return model_failed(model);
}

static void each_failure_has_its_kind(void **state)
{
	static const struct {
		struct stub_piece piece;
		enum model_failure_kind kind;
		int http;
	} cases[] = {
		{ { .status = STATUS_UNAVAILABLE, .end = HTTP_END_NO_HOST }, MODEL_UNREACHED, 0 },
		{ { .status = STATUS_TIMEOUT, .end = HTTP_END_LATE }, MODEL_UNREACHED, 0 },
		{ { .status = STATUS_UNAVAILABLE, .end = HTTP_END_EXPIRED }, MODEL_UNREACHED, 0 },
		{ { .status = STATUS_UNAVAILABLE, .end = HTTP_END_REFUSED }, MODEL_DECLINED, 0 },
		{ { .status = STATUS_UNAVAILABLE, .end = HTTP_END_CUT }, MODEL_RESET, 0 },
		{ { .status = STATUS_UNAVAILABLE, .end = HTTP_END_CUT, .http = 200 },
		  MODEL_RESET,
		  0 },
		{ { .status = STATUS_UNAVAILABLE, .end = HTTP_END_CUT, .http = 503 },
		  MODEL_HTTP,
		  503 },
		{ { .status = STATUS_TIMEOUT, .end = HTTP_END_LATE_FIRST }, MODEL_LATE, 0 },
		{ { .status = STATUS_TIMEOUT, .end = HTTP_END_LATE_NEXT, .http = 200 },
		  MODEL_LATE,
		  0 },
		{ { .ended = true, .http = 401 }, MODEL_HTTP, 401 },
		{ { .ended = true, .http = 400 }, MODEL_HTTP, 400 },
		{ { .bytes = STR("data: {\"error\":{\"message\":\"x\"}}\n\n"), .http = 200 },
		  MODEL_ERROR,
		  0 },
		{ { .bytes = STR("{\"error\":{\"code\":502}}"), .ended = true, .http = 200 },
		  MODEL_ERROR,
		  502 },
		{ { .bytes = STR("{\"x\""), .ended = true, .http = 200 }, MODEL_PROTOCOL, 0 },
		{ { .bytes = STR("<html>"), .ended = true, .http = 200 }, MODEL_RESET, 0 },
	};
	struct model *model = make_model();
	const struct model_failure *failure;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		failure = fail_with(model, &cases[i].piece);
		if (failure->kind != cases[i].kind)
			print_error("case %zu\n", i);
		assert_int_equal(failure->kind, cases[i].kind);
		assert_int_equal(failure->http, cases[i].http);
		assert_int_equal(failure->retry_ms, -1);
		assert_false(failure->reused);
	}
	model_reset(model);
	assert_string_equal(model_cause(model), "");
	assert_int_equal(model_failed(model)->http, 0);
	model_free(model);
}

/* Silences, as the options, the status and the connection bear them. */
static void a_silence_before_the_first_text_has_its_limit(void **state)
{
	static const struct {
		int64_t patience_ms, deadline_ms;
		int http;
		bool reused;
		int64_t wake_ms; /* 0: as long as it takes */
	} cases[] = {
		{ 0, 50000, 0, false, 0 },	   { 20000, 50000, 0, false, 20000 },
		{ 60000, 50000, 0, false, 0 },	   { 20000, 50000, 200, false, 20000 },
		{ 0, 50000, 0, true, 25000 },	   { 20000, 50000, 0, true, 20000 },
		{ 0, 50000, 200, true, 0 },	   { 0, 50000, 502, false, 5000 },
		{ 2000, 50000, 502, false, 2000 },
	};
	static const struct stub_piece silent[] = { { .bytes = STR(""), .ms = 50000 } };
	struct model *model = make_model();
	struct wait wait;
	size_t i;
	bool ended;

	(void)state;
	wait_init(&wait);
	for (i = 0; i < COUNT(cases); i++) {
		struct model_options options = { .patience_ms = cases[i].patience_ms };
		int64_t began = clock_ms();

		stub_http_script(silent, 1);
		stub_http.http = cases[i].http;
		stub_http.reused = cases[i].reused;
		model_begin(model, &config.model_servers[0], &options);
		assert_int_equal(model_start(model, began + cases[i].deadline_ms, NULL), STATUS_OK);
		assert_int_equal(model_next(model, &wait, CLOCK_NEVER, take_text, NULL, &ended),
				 !cases[i].wake_ms	? STATUS_OK
				 : cases[i].http >= 300 ? STATUS_REFUSED
							: STATUS_TIMEOUT);
		assert_int_equal(stub_http.wake_at,
				 cases[i].wake_ms ? began + cases[i].wake_ms : CLOCK_NEVER);
		if (cases[i].wake_ms)
			assert_int_equal(model_failed(model)->kind,
					 cases[i].http >= 300 ? MODEL_HTTP : MODEL_LATE);
	}
	model_free(model);
}

/* A byte from time to time is no reason to wait longer for the rest of what is an error already. */
static void an_errors_body_that_trickles_has_its_limit(void **state)
{
	static const struct stub_piece drops[] = { { .bytes = STR("{"), .ms = 3000, .http = 400 },
						   { .bytes = STR(" "), .ms = 3000 },
						   { .bytes = STR(""), .ms = 2000 } };
	const struct model_options options = { .patience_ms = 20000 };
	struct model *model = make_model();
	int64_t began = clock_ms();
	struct wait wait;
	bool ended;
	int i;

	(void)state;
	wait_init(&wait);
	stub_http_script(drops, COUNT(drops));
	stub_http.http = 0;
	model_begin(model, &config.model_servers[0], &options);
	assert_int_equal(model_start(model, began + 50000, NULL), STATUS_OK);
	for (i = 0; i < 3; i++) {
		assert_int_equal(model_next(model, &wait, CLOCK_NEVER, take_text, NULL, &ended),
				 i < 2 ? STATUS_OK : STATUS_REFUSED);
		assert_int_equal(stub_http.wake_at, began + (i ? 8000 : 20000));
	}
	assert_int_equal(model_failed(model)->http, 400);
	model_free(model);
}

static void an_event_without_end_is_refused(void **state)
{
	static const size_t size = 5 << 20;
	static const struct stub_piece small[] = { { .bytes = STR(HELLO DONE) } };
	struct model *model = make_model();
	struct stub_piece piece = { .ended = false };
	struct answer answer;
	char *bytes = malloc(size);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', size);
	memcpy(bytes, "data: " SECRET, 12);
	piece.bytes = (struct str){ bytes, size };
	play(model, &piece, 1, &answer);
	assert_int_equal(answer.status, STATUS_NOMEM);
	assert_string_equal(model_cause(model),
			    "the model's server sent an event that is too long");
	/* The next exchange knows nothing of it. */
	play(model, small, 1, &answer);
	assert_int_equal(answer.status, STATUS_OK);
	assert_string_equal(answer.text, "Hel|lo");
	free(bytes);
	model_free(model);
}

static enum status refuse_text(void *context, struct str text)
{
	(void)text;
	return *(enum status *)context;
}

static void the_callers_refusal_ends_it(void **state)
{
	static const struct stub_piece pieces[] = { { .bytes = STR(HELLO FINISH("stop") DONE) } };
	static const struct stub_piece half[] = { { .bytes = STR(DELTA("\xe2\x82") DONE) } };
	static enum status refusals[] = { STATUS_CLOSED, STATUS_NOMEM, STATUS_FAILED };
	const struct model_options none = { .name = STR_NONE };
	struct model *model = make_model();
	struct wait wait;
	bool ended;
	size_t i;

	(void)state;
	wait_init(&wait);
	for (i = 0; i < 2 * COUNT(refusals); i++) {
		stub_http_script(i % 2 ? pieces : half, 1);
		model_begin(model, &config.model_servers[0], &none);
		assert_int_equal(model_start(model, 1, NULL), STATUS_OK);
		assert_int_equal(model_next(model, &wait, 1, refuse_text, &refusals[i / 2], &ended),
				 refusals[i / 2]);
	}
	model_free(model);
}

static void a_request_that_cannot_be_sent(void **state)
{
	const struct model_options none = { .name = STR_NONE };
	struct model *model = make_model();
	char *text = calloc(1, 9 << 20);

	(void)state;
	assert_non_null(text);
	stub_http_script(NULL, 0);
	stub_http.posted = STATUS_FAILED;
	model_begin(model, &config.model_servers[0], &none);
	assert_int_equal(model_start(model, 1, NULL), STATUS_FAILED);
	/* Two long messages are more than a request may have. */
	memset(text, 'x', 9 << 20);
	model_begin(model, &config.model_servers[0], &none);
	model_message(model, MODEL_USER, (struct str){ text, 9 << 20 });
	model_message(model, MODEL_ASSISTANT, (struct str){ text, 9 << 20 });
	journal_clear();
	assert_int_equal(model_start(model, 1, NULL), STATUS_NOMEM);
	assert_string_equal(journal.text, "");
	free(text);
	model_free(model);
	model_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_is_the_protocols),
		cmocka_unit_test(request_without_options_has_none),
		cmocka_unit_test(another_http_status_is_a_refusal),
		cmocka_unit_test(created_with_a_good_stream_is_an_answer),
		cmocka_unit_test(each_silence_has_its_words_and_its_setting),
		cmocka_unit_test(a_server_is_asked_for_the_model_by_its_own_name),
		cmocka_unit_test(a_refusal_for_length_is_told),
		cmocka_unit_test(each_failure_has_its_kind),
		cmocka_unit_test(a_silence_before_the_first_text_has_its_limit),
		cmocka_unit_test(an_event_without_end_is_refused),
		cmocka_unit_test(an_errors_body_that_trickles_has_its_limit),
		cmocka_unit_test(the_callers_refusal_ends_it),
		cmocka_unit_test(a_request_that_cannot_be_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
