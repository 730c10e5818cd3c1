/* chat/turn: the order of an exchange's calls and events, and S10's table; the edges are stubs. */
#include "stub_turn.h"

static void recorded_told_asked_relayed_stored_done(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(""), .ms = 10 },
		{ .bytes = STR(DELTA("Hel") DELTA("lo")), .ms = 10 },
		{ .bytes = STR(DELTA(" you")), .ms = 5 },
		{ .bytes = STR(FINISH("stop") USAGE) },
		{ .bytes = STR(DONE) },
	};
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	stub_turn_begin(&t, stub_good, 2);
	stub_turn_play(&t);
	assert_string_equal(
		journal.text, OPENED
		"next flush "
		"next token(Hel) token(lo) flush "
		"next token( you) flush "
		"next flush "
		"next flush " FINISH_CALL(
			"done", "'Hello you', 'stop', 7, 3, null, 20, 25") "done(c-1, m-1, Hello "
									   "you) flush stop ");
	assert_int_equal(t.turn.end, TURN_DONE);
	assert_string_equal(t.turn.cause, "");
	assert_int_equal(t.turn.first_ms, 20);
	assert_int_equal(t.turn.tokens, 3);
	assert_int_equal(stub_http.deadline, STUB_TIME_START + LIMIT_MS);
	stub_turn_free(&t);
}

/* S10, row by row: what the model does, what is stored, what the client sees. */
static const struct {
	const char *name;
	struct stub_piece pieces[3];
	int http;
	const char *journal; /* behind OPENED */
	enum turn_end end;
	const char *cause;
} rows[] = {
	{ "finished without a reason",
	  { { .bytes = STR(DELTA("a") DONE) } },
	  200,
	  "next token(a) flush " FINISH_CALL(
		  "done", "'a', null, null, null, null, 0, 0") "done(c-1, m-1, a) flush stop ",
	  TURN_DONE,
	  "" },
	{ "finished without [DONE]",
	  { { .bytes = STR(DELTA("a") FINISH("length")), .ended = true } },
	  200,
	  "next token(a) flush " FINISH_CALL(
		  "done", "'a', 'length', null, null, null, 0, 0") "done(c-1, m-1, a) flush ",
	  TURN_DONE,
	  "" },
	{ "finished without any text",
	  { { .bytes = STR(FINISH("stop") DONE) } },
	  200,
	  "next flush " FINISH_CALL("failed", "'', 'stop', null, null, 'the model answered without "
					      "any text', null, 0") "error flush stop ",
	  TURN_FAILED,
	  "the model answered without any text" },
	{ "finished with white space only",
	  { { .bytes = STR(DELTA("\\n\\n") DELTA(" ") FINISH("stop") DONE) } },
	  200,
	  "next token(\n\n ) flush " FINISH_CALL(
		  "failed", "'\n\n ', 'stop', null, null, 'the model answered without "
			    "any text', 0, 0") "error flush stop ",
	  TURN_FAILED,
	  "the model answered without any text" },
	{ "failed before any text",
	  { { .bytes = STR(""), .status = STATUS_UNAVAILABLE, .end = HTTP_END_REFUSED } },
	  0,
	  "next flush " FINISH_CALL("failed",
				    "'', null, null, null, 'stub', null, 0") "error flush ",
	  TURN_FAILED,
	  "stub" },
	{ "refused",
	  { { .bytes = STR("{\"error\":\"x\"}") } },
	  401,
	  "next flush stop " FINISH_CALL("failed",
					 "'', null, null, null, 'the model's server answered with "
					 "HTTP status 401', null, 0") "error flush ",
	  TURN_FAILED,
	  "the model's server answered with HTTP status 401" },
	{ "cut after some text",
	  { { .bytes = STR(DELTA("a")) },
	    { .bytes = STR(DELTA("b")), .status = STATUS_UNAVAILABLE } },
	  200,
	  "next token(a) flush next token(b) flush " FINISH_CALL(
		  "failed", "'ab', null, null, null, 'stub', 0, 0") "error flush ",
	  TURN_FAILED,
	  "stub" },
	{ "silent after some text",
	  { { .bytes = STR(DELTA("a")) },
	    { .bytes = STR(""), .status = STATUS_TIMEOUT, .ms = 30000 } },
	  200,
	  "next token(a) flush next flush " FINISH_CALL(
		  "failed", "'a', null, null, null, 'stub', 0, 30000") "error flush ",
	  TURN_FAILED,
	  "stub" },
	{ "drained",
	  { { .bytes = STR(DELTA("a")) }, { .bytes = STR(""), .status = STATUS_STOPPED } },
	  200,
	  "next token(a) flush next flush " FINISH_CALL(
		  "failed",
		  "'a', null, null, null, 'this worker had to stop', 0, 0") "error flush ",
	  TURN_FAILED,
	  "this worker had to stop" },
	{ "longer than the cap",
	  { { .bytes = STR(DELTA("0123456789")) }, { .bytes = STR(DELTA("0123456")) } },
	  200,
	  "next token(0123456789) flush next flush stop " FINISH_CALL(
		  "failed", "'0123456789', null, null, null, 'the answer is longer than "
			    "BANTER_ANSWER_BYTES', 0, 0") "error flush ",
	  TURN_FAILED,
	  "the answer is longer than BANTER_ANSWER_BYTES" },
	{ "as long as the cap",
	  { { .bytes = STR(DELTA("0123456789") DELTA("012345") DONE) } },
	  200,
	  "next token(0123456789) token(012345) flush " FINISH_CALL(
		  "done", "'0123456789012345', null, null, null, null, 0, 0") "done(c-1, m-1, "
									      "0123456789012345) "
									      "flush stop ",
	  TURN_DONE,
	  "" },
	{ "the client left after some text",
	  { { .bytes = STR(DELTA("a")) }, { .bytes = STR(""), .status = STATUS_CLOSED } },
	  200,
	  "next token(a) flush next flush " FINISH_CALL(
		  "left", "'a', null, null, null, 'the client left', 0, 0"),
	  TURN_LEFT,
	  "the client left" },
	{ "the client left after white space only",
	  { { .bytes = STR(DELTA("\\n")) }, { .bytes = STR(""), .status = STATUS_CLOSED } },
	  200,
	  "next flush next flush " FINISH_CALL("failed",
					       "'', null, null, null, 'the client left', null, 0"),
	  TURN_LEFT,
	  "the client left" },
	{ "the client left before any text",
	  { { .bytes = STR("") }, { .bytes = STR(""), .status = STATUS_CLOSED } },
	  0,
	  "next flush next flush " FINISH_CALL("failed",
					       "'', null, null, null, 'the client left', null, 0"),
	  TURN_LEFT,
	  "the client left" },
};

static void each_end_is_as_the_table_says(void **state)
{
	struct stub_turn t;
	char expected[1000];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		SCRIPT(rows[i].pieces);
		stub_http.http = rows[i].http;
		stub_http.cause = "stub";
		stub_turn_begin(&t, stub_good, 2);
		stub_turn_play(&t);
		snprintf(expected, sizeof(expected), OPENED "%s", rows[i].journal);
		if (strcmp(journal.text, expected) != 0)
			print_error("%s\n", rows[i].name);
		assert_string_equal(journal.text, expected);
		assert_int_equal(t.turn.end, rows[i].end);
		assert_string_equal(t.turn.cause, rows[i].cause);
		stub_turn_free(&t);
	}
}

/* What the client's going away makes of an exchange, whichever of the sink's calls tells it. */
#define ASKED "exchange_leave(5, 'x') step "
static const char *const left_at[] = {
	/* start */ "exchange_begin start(c-1, m-1) " ASKED FINISH_UNASKED(
		"failed", "'', null, null, null, 'the client left', null, 0"),
	/* flush */
	"exchange_begin start(c-1, m-1) flush " ASKED FINISH_UNASKED(
		"failed", "'', null, null, null, 'the client left', null, 0"),
	/* token */
	OPENED "next token(a) " ASKED
	       "stop " FINISH_CALL("left", "'a', null, null, null, 'the client left', 0, 0"),
	/* flush */
	OPENED "next token(a) flush " ASKED
	       "stop " FINISH_CALL("left", "'a', null, null, null, 'the client left', 0, 0"),
	/* token */
	OPENED "next token(a) flush next token(b) " ASKED
	       "stop " FINISH_CALL("left", "'ab', null, null, null, 'the client left', 0, 0"),
	/* flush */
	OPENED "next token(a) flush next token(b) flush " ASKED
	       "stop " FINISH_CALL("left", "'ab', null, null, null, 'the client left', 0, 0"),
	/* the last flush: all of it is here, but it was not sent on */
	OPENED "next token(a) flush next token(b) flush next flush " ASKED
	       "stop " FINISH_CALL("left", "'ab', 'stop', null, null, 'the client left', 0, 0"),
	/* done: stored, whoever hears it */
	OPENED "next token(a) flush next token(b) flush next flush " FINISH_CALL(
		"done", "'ab', 'stop', null, null, null, 0, 0") "done(c-1, m-1, ab) stop ",
	/* flush */
	OPENED "next token(a) flush next token(b) flush next flush " FINISH_CALL(
		"done", "'ab', 'stop', null, null, null, 0, 0") "done(c-1, m-1, ab) flush stop ",
};

static void the_client_leaves_at_every_call(void **state)
{
	static const struct stub_piece pieces[] = { { .bytes = STR(DELTA("a")) },
						    { .bytes = STR(DELTA("b")) },
						    { .bytes = STR(FINISH("stop") DONE) } };
	struct stub_turn t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(left_at); i++) {
		SCRIPT(pieces);
		stub_turn_begin(&t, stub_good, 2);
		stub_sink.refuse_at = (int)i + 1;
		stub_sink.refusal = STATUS_CLOSED;
		stub_turn_play(&t);
		assert_string_equal(journal.text, left_at[i]);
		assert_string_equal(t.turn.cause, "the client left");
		assert_int_equal(t.turn.end, i < 7 ? TURN_LEFT : TURN_DONE);
		stub_turn_free(&t);
	}
}

/* A client that goes away while the model fails: the failure counts. */
static void a_failure_is_told_to_nobody(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(DELTA("a")), .status = STATUS_UNAVAILABLE },
	};
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	stub_http.cause = "stub";
	stub_turn_begin(&t, stub_good, 2);
	stub_sink.refuse_at = 4;
	stub_sink.refusal = STATUS_CLOSED;
	stub_turn_play(&t);
	assert_string_equal(journal.text, OPENED "next token(a) flush " FINISH_CALL(
						  "failed", "'a', null, null, null, 'stub', 0, 0"));
	assert_int_equal(t.turn.end, TURN_LEFT);
	stub_turn_free(&t);
}

/* S7: where its chatbot says so, what its client left goes on to its end, for a minute at most. */
static void what_was_left_goes_on(void **state)
{
	static const struct stub_row minute = { { "60" } }, never = { { "0" } };
	static const struct stub_piece pieces[] = { { .bytes = STR(DELTA("a")) },
						    { .bytes = STR(DELTA("b")), .ms = 59999 },
						    { .bytes = STR(FINISH("stop") DONE) } },
				       late[] = { { .bytes = STR(DELTA("a")) },
						  { .bytes = STR(DELTA("b")), .ms = 60000 },
						  { .bytes = STR(FINISH("stop") DONE) } };
	static const struct {
		const struct stub_row *found;
		const struct stub_piece *pieces;
		enum turn_end end;
		const char *stored, *cause;
	} kinds[] = {
		{ &minute, pieces, TURN_DONE, "'done', 'ab', 'stop'",
		  "its client left before the end" },
		{ &minute, late, TURN_LEFT, "'left', 'ab', null", "the client left" },
		{ &never, pieces, TURN_LEFT, "'left', 'a', null", "the client left" },
		{ NULL, pieces, TURN_LEFT, "'left', 'a', null", "the client left" },
	};
	struct stub_turn t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(kinds); i++) {
		stub_http_script(kinds[i].pieces, 3);
		stub_turn_begin(&t, stub_good, 2);
		stub_db.found = kinds[i].found;
		stub_sink.refuse_at = 4;
		stub_sink.refusal = STATUS_CLOSED;
		stub_turn_play(&t);
		assert_int_equal(journal_count(kinds[i].stored), 1);
		assert_int_equal(journal_count(ASKED), 1);
		assert_int_equal(journal_count("done("), 0);
		assert_string_equal(t.turn.cause, kinds[i].cause);
		assert_int_equal(t.turn.end, kinds[i].end);
		stub_turn_free(&t);
	}
}

/* A sink without memory for an event is no client that left: it is told of the failure. */
static void a_sink_without_memory_is_a_failure(void **state)
{
	static const struct stub_piece pieces[] = { { .bytes = STR(DELTA("a") DONE) } };
	struct stub_turn t;
	int at;

	(void)state;
	for (at = 1; at <= 3; at += 2) {
		SCRIPT(pieces);
		stub_turn_begin(&t, stub_good, 2);
		stub_sink.refuse_at = at;
		stub_sink.refusal = STATUS_NOMEM;
		stub_sink.once = true;
		stub_turn_play(&t);
		assert_int_equal(journal_count("'failed'"), 1);
		assert_int_equal(journal_count("error flush"), 1);
		assert_int_equal(journal_count("done("), 0);
		assert_int_equal(t.turn.end, TURN_FAILED);
		stub_turn_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_told_asked_relayed_stored_done),
		cmocka_unit_test(each_end_is_as_the_table_says),
		cmocka_unit_test(the_client_leaves_at_every_call),
		cmocka_unit_test(a_failure_is_told_to_nobody),
		cmocka_unit_test(what_was_left_goes_on),
		cmocka_unit_test(a_sink_without_memory_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
