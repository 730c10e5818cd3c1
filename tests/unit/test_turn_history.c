/* chat/turn: what the model is asked, and what when that was too long; the edges are stubs. */
#include "stub_turn.h"

#include "base/log.h"

static void the_model_is_asked_with_the_history(void **state)
{
	static const struct stub_row rows[] = {
		{ { "started", "c-1", "m-1", NULL, NULL, NULL, NULL, "gpt-x", "Be kind.", "0.5",
		    "9", "t" } },
		{ { "history", [12] = "two", [16] = "one" } },
	};
	static const struct stub_answer answers[] = { { .rows = rows, .count = 2 }, STORED };
	static const struct stub_piece pieces[] = { { .bytes = STR(DELTA("a") DONE) } };
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	stub_turn_begin(&t, answers, 2);
	stub_turn_play(&t);
	assert_str(stub_http_body(),
		   "{\"model\":\"gpt-x\",\"temperature\":0.5,\"max_tokens\":9,\"stream\":true,"
		   "\"stream_options\":{\"include_usage\":true},\"messages\":["
		   "{\"role\":\"system\",\"content\":\"Be kind.\"},"
		   "{\"role\":\"user\",\"content\":\"one\"},"
		   "{\"role\":\"assistant\",\"content\":\"two\"},"
		   "{\"role\":\"user\",\"content\":\"three\"}]}");
	stub_turn_free(&t);
}

#define TOO_LONG "{\"error\":{\"code\":\"context_length_exceeded\"}}"

/* Requests, and which of the exchanges a, b, c, d stood in the last one. */
static void play_refused(int messages, const struct stub_piece *pieces, size_t count, int http,
			 const char *asked, const char *history)
{
	static const struct stub_row rows[] = {
		{ { "started", "c-1", "m-1", [8] = "Be kind.", [11] = "t", [15] = "9" } },
		{ { "history", [12] = "a2", [15] = "3", [16] = "a1" } },
		{ { "history", [12] = "b2", [15] = "4", [16] = "b1" } },
		{ { "history", [12] = "c2", [15] = "7", [16] = "c1" } },
	};
	const struct stub_answer answers[] = { { .rows = rows, .count = 1 + messages / 2 },
					       STORED };
	char seen[32] = "";
	struct stub_turn t;
	size_t n = 0, i;

	stub_http_script(pieces, count);
	stub_http.http = http;
	stub_turn_begin(&t, answers, 2);
	stub_turn_play(&t);
	assert_string_equal(journal.text, asked);
	/* "a1" in quotes: no other text of the request has that form. */
	for (i = 0; i + 3 < stub_http.body_n; i++)
		if (stub_http.body[i] == '"' && stub_http.body[i + 3] == '"' &&
		    strchr("12", stub_http.body[i + 2])) {
			assert_true(n + 3 < sizeof(seen));
			memcpy(seen + n, stub_http.body + i + 1, 2);
			n += 2;
		}
	assert_string_equal(seen, history);
	assert_true(memmem(stub_http.body, stub_http.body_n, "Be kind.", 8) != NULL);
	assert_true(memmem(stub_http.body, stub_http.body_n, "\"three\"", 7) != NULL);
	stub_turn_free(&t);
}

/* The last one had none of the history, or it was asked once. */
#define FAILED_AFTER(cause, ...)                                                                   \
	FINISH_FROM("failed", "'', null, null, null, '" cause "', null, 0", __VA_ARGS__)           \
	"error flush "
#define ONCE "'default', 1, null", "null"
#define TWICE "'default', 2, 'default 400'", "9"
#define THRICE "'default', 3, 'default 400, default 400'", "9"

#define CAUSE_LONG "the messages are too long for the model (HTTP status 400)"

static void half_of_a_history_that_was_too_long(void **state)
{
	static const struct stub_piece refused[] = {
		{ .bytes = STR(TOO_LONG), .ended = true },
		{ .bytes = STR(TOO_LONG), .ended = true },
		{ .bytes = STR(TOO_LONG), .ended = true },
	};
	static const struct stub_piece event[] = {
		{ .bytes = STR("data: " TOO_LONG "\n\n") },
		{ .bytes = STR(DELTA("a") DONE) },
	};
	static const struct stub_piece late[] = {
		{ .bytes = STR(DELTA("a") "data: " TOO_LONG "\n\n") },
	};

	(void)state;
	/* Whole exchanges, the newer half, rounded down; as long as there is one. */
	play_refused(6, refused, 3, 400,
		     OPENED
		     "next flush post next flush post next flush " FAILED_AFTER(CAUSE_LONG, THRICE),
		     "");
	play_refused(2, refused, 2, 400,
		     OPENED "next flush post next flush " FAILED_AFTER(CAUSE_LONG, TWICE), "");
	/* Nothing can be left out. */
	play_refused(0, refused, 1, 400, OPENED "next flush " FAILED_AFTER(CAUSE_LONG, ONCE), "");
	play_refused(4, event, 2, 200,
		     OPENED "next flush stop post next token(a) flush " FINISH_FROM(
			     "done", "'a', null, null, null, null, 0, 0",
			     "'default', 2, 'default error'", "4") "done(c-1, m-1, a) flush stop ",
		     "b1b2");
	/* Behind text it is a failure like others. */
	play_refused(4, late, 1, 200,
		     OPENED "next token(a) flush stop " FINISH_CALL(
			     "failed",
			     "'a', null, null, null, 'the model\'s server sent an error in its "
			     "stream', 0, 0") "error flush ",
		     "a1a2b1b2");
}

/* Whatever had been asked before, the last request is one that must fit. */
static void the_last_request_has_no_history(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR("{}"), .http = 409, .ended = true },
		{ .bytes = STR(TOO_LONG), .http = 400, .ended = true },
		{ .bytes = STR(TOO_LONG), .http = 400, .ended = true },
		{ .bytes = STR(DELTA("a") DONE), .http = 200 },
	};

	(void)state;
	play_refused(6, pieces, 4, 409,
		     OPENED "next flush wait(disturbed) post next flush post next flush post next "
			    "token(a) flush " FINISH_FROM(
				    "done", "'a', null, null, null, null, 245, 245",
				    "'default', 4, 'default 409, default 400, default 400'",
				    "9") "done(c-1, m-1, "
					 "a) flush stop ",
		     "");
}

/* A long history may be why: once half of it, and at last none. */
static void half_where_nobody_says_why(void **state)
{
	static const struct stub_piece bad[] = {
		{ .bytes = STR("{\"error\":\"bad\"}"), .ended = true },
		{ .bytes = STR("{\"error\":\"bad\"}"), .ended = true },
		{ .bytes = STR("{\"error\":\"bad\"}"), .ended = true },
	};
	static const int statuses[] = { 400, 422 };
	char asked[1000];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(statuses); i++) {
		snprintf(asked, sizeof(asked),
			 OPENED "next flush post next flush post next flush " FAILED_AFTER(
				 "the model\'s server answered with HTTP status %d",
				 "'default', 3, 'default %d, default %d'", "9"),
			 statuses[i], statuses[i], statuses[i]);
		play_refused(6, bad, 3, statuses[i], asked, "");
		snprintf(asked, sizeof(asked),
			 OPENED "next flush " FAILED_AFTER(
				 "the model\'s server answered with HTTP status %d", ONCE),
			 statuses[i]);
		play_refused(4, bad, 1, statuses[i], asked, "a1a2b1b2");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_model_is_asked_with_the_history),
		cmocka_unit_test(half_of_a_history_that_was_too_long),
		cmocka_unit_test(the_last_request_has_no_history),
		cmocka_unit_test(half_where_nobody_says_why),
	};

	log_open("test", LOG_LEVEL_ERROR, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
