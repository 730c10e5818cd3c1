/* chat/turn_ask: a model that fails is asked again; what follows which failure is test_attempts'. */
#include "stub_turn.h"

#include "base/log.h"

#define BUSY                                                                                       \
	{                                                                                          \
		.bytes = STR("{}"), .http = 503, .ended = true                                     \
	}
#define GOOD                                                                                       \
	{                                                                                          \
		.bytes = STR(DELTA("a") DONE), .http = 200                                         \
	}

static void play(struct stub_turn *t, const struct stub_piece *pieces, size_t count)
{
	stub_http_script(pieces, count);
	stub_turn_begin(t, stub_good, 2);
	stub_turn_play(t);
}

static void the_same_after_a_pause(void **state)
{
	static const struct stub_piece pieces[] = { BUSY, GOOD };
	struct stub_turn t;

	(void)state;
	play(&t, pieces, 2);
	assert_string_equal(journal.text, OPENED
			    "next flush wait(disturbed) post next token(a) flush " FINISH_ASKED(
				    "done", "'a', null, null, null, null, 245, 245",
				    "'default', 2, 'default 503'") "done(c-1, m-1, "
								   "a) flush stop ");
	assert_int_equal(t.turn.end, TURN_DONE);
	assert_string_equal(t.turn.cause, "");
	assert_int_equal(t.turn.attempts.requests, 2);
	assert_string_equal(t.turn.attempts.tries, "default 503");
	stub_turn_free(&t);
}

static void four_requests_are_all(void **state)
{
	static const struct stub_piece pieces[] = { BUSY, BUSY, BUSY, BUSY };
	struct stub_turn t;

	(void)state;
	play(&t, pieces, 4);
	assert_int_equal(journal_count("post "), 4);
	assert_int_equal(journal_count("wait("), 3);
	assert_int_equal(journal_count("error flush"), 1);
	assert_int_equal(t.turn.end, TURN_FAILED);
	assert_string_equal(t.turn.cause, "the model's server answered with HTTP status 503");
	assert_string_equal(t.turn.attempts.tries, "default 503, default 503, default 503");
	stub_turn_free(&t);
}

static void a_kept_connection_that_ended_costs_no_pause(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(""), .status = STATUS_UNAVAILABLE, .end = HTTP_END_CUT },
		GOOD,
	};
	struct stub_turn t;

	(void)state;
	stub_http_script(pieces, 2);
	stub_http.reused = true;
	stub_turn_begin(&t, stub_good, 2);
	stub_turn_play(&t);
	assert_int_equal(journal_count("post "), 2);
	assert_int_equal(journal_count("wait("), 0);
	assert_true(stub_http.fresh);
	assert_int_equal(t.turn.end, TURN_DONE);
	stub_turn_free(&t);
}

/* The last request decides what a client is told to do. */
static void a_busy_model_says_when(void **state)
{
	static const struct {
		int http;
		int64_t retry_ms, told;
	} cases[] = {
		{ 429, 77000, 77 },  { 503, 77001, 78 }, { 429, 3600000, 3600 },
		{ 429, 3600001, 5 }, { 401, 77000, 0 },	 { 501, 77000, 0 },
	};
	struct stub_turn t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		const struct stub_piece pieces[] = {
			{ .bytes = STR("{}"), .http = cases[i].http, .ended = true }
		};

		stub_http_script(pieces, 1);
		stub_http.retry_ms = cases[i].retry_ms;
		stub_turn_begin(&t, stub_good, 2);
		stub_turn_play(&t);
		assert_int_equal(journal_count("post "), 1);
		assert_int_equal(stub_sink.retry_s, cases[i].told);
		stub_turn_free(&t);
	}
}

static void nothing_is_asked_again_once_text_came(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(DELTA("a")) },
		{ .bytes = STR(""), .status = STATUS_UNAVAILABLE, .end = HTTP_END_CUT },
	};
	struct stub_turn t;

	(void)state;
	play(&t, pieces, 2);
	assert_int_equal(journal_count("post "), 1);
	assert_int_equal(t.turn.end, TURN_FAILED);
	assert_int_equal(stub_sink.retry_s, 0);
	stub_turn_free(&t);
}

static void a_client_that_left_is_not_asked_for(void **state)
{
	static const struct stub_piece pieces[] = { BUSY };
	struct stub_turn t;

	(void)state;
	stub_http_script(pieces, 1);
	stub_turn_begin(&t, stub_good, 2);
	t.wait.client_left = true;
	stub_turn_play(&t);
	assert_int_equal(journal_count("post "), 1);
	stub_turn_free(&t);
}

/* What is not the server's to answer for ends the exchange. */
static void other_failures_are_not_asked_again(void **state)
{
	static const enum status failures[] = { STATUS_NOMEM, STATUS_CLOSED, STATUS_STOPPED,
						STATUS_FAILED };
	struct stub_turn t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(failures); i++) {
		const struct stub_piece pieces[] = { { .bytes = STR(""), .status = failures[i] } };

		play(&t, pieces, 1);
		assert_int_equal(journal_count("post "), 1);
		assert_int_equal(journal_count("exchange_end(5, 'x', 'failed'"), 1);
		stub_turn_free(&t);
	}
}

/* The exchange's time is not to be spent on pauses. */
static void the_pause_is_within_the_time(void **state)
{
	static const struct stub_piece late[] = {
		{ .bytes = STR("{}"), .http = 503, .ended = true, .ms = LIMIT_MS - 600 },
	};
	struct stub_turn t;

	(void)state;
	play(&t, late, 1);
	assert_int_equal(journal_count("post "), 1);
	assert_int_equal(t.turn.end, TURN_FAILED);
	stub_turn_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_after_a_pause),
		cmocka_unit_test(four_requests_are_all),
		cmocka_unit_test(a_kept_connection_that_ended_costs_no_pause),
		cmocka_unit_test(a_busy_model_says_when),
		cmocka_unit_test(nothing_is_asked_again_once_text_came),
		cmocka_unit_test(a_client_that_left_is_not_asked_for),
		cmocka_unit_test(other_failures_are_not_asked_again),
		cmocka_unit_test(the_pause_is_within_the_time),
	};

	log_open("test", LOG_LEVEL_ERROR, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
