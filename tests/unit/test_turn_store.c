/* chat/turn: storing an end, replaying one, keeping a lease; the edges are stubs. */
#include "stub_turn.h"

static const struct stub_piece answered[] = { { .bytes = STR(DELTA("a") FINISH("stop") DONE) } };

/* Each try is exchange_end's `ms` and a pause of 200 ms; tries begin for 10 s. */
static void storing_is_tried_for_ten_seconds(void **state)
{
	static const struct stub_answer away[] = { BEGUN,
						   { .status = STATUS_UNAVAILABLE, .ms = 300 } };
	static const struct stub_answer silent[] = { BEGUN, { .status = STATUS_TIMEOUT } };
	static const struct stub_answer back[] = { BEGUN,
						   { .status = STATUS_UNAVAILABLE },
						   { .status = STATUS_TIMEOUT },
						   { .status = STATUS_NOMEM },
						   { .rows = stub_already, .count = 1 } };
	struct stub_turn t;

	(void)state;
	SCRIPT(answered);
	stub_turn_begin(&t, away, COUNT(away));
	stub_turn_play(&t);
	assert_int_equal(journal_count("exchange_end"), 20);
	assert_int_equal(journal_count("wait "), 19);
	assert_int_equal(journal_count("done("), 0);
	assert_int_equal(journal_count("error flush"), 1);
	assert_int_equal(t.turn.end, TURN_FAILED);
	assert_string_equal(t.turn.cause, "the answer could not be stored");
	stub_turn_free(&t);

	/* A try is given 5 s, although other calls have 4; the last one ends with the ten seconds. */
	SCRIPT(answered);
	stub_turn_begin(&t, silent, COUNT(silent));
	stub_turn_play(&t);
	assert_int_equal(journal_count("exchange_end"), 2);
	assert_int_equal(stub_time.now, STUB_TIME_START + 10000);
	assert_int_equal(journal_count("error flush"), 1);
	stub_turn_free(&t);

	/* A try whose answer was lost did store it. */
	SCRIPT(answered);
	stub_turn_begin(&t, back, COUNT(back));
	stub_turn_play(&t);
	assert_int_equal(journal_count("exchange_end"), 4);
	assert_int_equal(journal_count("wait "), 3);
	assert_int_equal(journal_count("done(c-1, m-1, a) flush"), 1);
	assert_int_equal(journal_count("error"), 0);
	assert_int_equal(t.turn.end, TURN_DONE);
	assert_string_equal(t.turn.cause, "");
	stub_turn_free(&t);
}

static void what_is_not_stored_is_not_done(void **state)
{
	static const struct stub_answer refused[] = { BEGUN, { .status = STATUS_FAILED } };
	static const struct stub_answer gone[] = { BEGUN, { .rows = stub_gone, .count = 1 } };
	static const char finish[] = OPENED "next token(a) flush " FINISH_CALL(
		"done", "'a', 'stop', null, null, null, 0, 0") "error flush stop ";
	struct stub_turn t;

	(void)state;
	SCRIPT(answered);
	stub_turn_begin(&t, refused, 2);
	stub_turn_play(&t);
	assert_string_equal(journal.text, finish);
	assert_string_equal(t.turn.cause, "the answer could not be stored");
	assert_int_equal(t.turn.end, TURN_FAILED);
	stub_turn_free(&t);
	SCRIPT(answered);
	stub_turn_begin(&t, gone, 2);
	stub_turn_play(&t);
	assert_string_equal(journal.text, finish);
	assert_string_equal(t.turn.cause, "the exchange was gone before its answer was stored");
	assert_int_equal(t.turn.end, TURN_FAILED);
	stub_turn_free(&t);
}

static void a_replay_asks_nobody(void **state)
{
	static const struct stub_answer answers[] = { { .rows = stub_replay, .count = 1 } };
	static const char *const journals[] = {
		"exchange_begin start(c-1, m-1) token(as before) done(c-1, m-1, as before) flush ",
		"exchange_begin start(c-1, m-1) ",
		"exchange_begin start(c-1, m-1) token(as before) ",
		"exchange_begin start(c-1, m-1) token(as before) done(c-1, m-1, as before) ",
		"exchange_begin start(c-1, m-1) token(as before) done(c-1, m-1, as before) flush ",
	};
	struct stub_turn t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(journals); i++) {
		stub_http_script(NULL, 0);
		stub_turn_begin(&t, answers, 1);
		stub_sink.refuse_at = (int)i;
		stub_sink.refusal = STATUS_CLOSED;
		stub_turn_play(&t);
		assert_string_equal(journal.text, journals[i]);
		assert_int_equal(t.turn.end, TURN_REPLAYED);
		assert_string_equal(t.turn.cause, i ? "the client left" : "");
		stub_turn_free(&t);
	}
}

static void what_was_not_recorded_is_not_played(void **state)
{
	static const enum status failures[] = { STATUS_NOMEM, STATUS_TIMEOUT, STATUS_UNAVAILABLE,
						STATUS_FAILED };
	struct stub_turn t;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(failures); i++) {
		const struct stub_answer answers[] = { { .status = failures[i] } };

		stub_turn_begin(&t, answers, 1);
		assert_int_equal(turn_open(&t.turn), failures[i]);
		assert_int_equal(t.turn.end, TURN_NONE);
		assert_null(t.turn.begun.rows);
		stub_turn_free(&t);
	}
}

static void a_request_that_cannot_be_sent(void **state)
{
	struct stub_turn t;

	(void)state;
	stub_http_script(NULL, 0);
	stub_http.posted = STATUS_FAILED;
	stub_turn_begin(&t, stub_good, 2);
	stub_turn_play(&t);
	assert_string_equal(
		journal.text,
		OPENED FINISH_CALL("failed",
				   "'', null, null, null, 'failed', null, 0") "error flush ");
	assert_int_equal(t.turn.end, TURN_FAILED);
	stub_turn_free(&t);
}

/* 300 s of lease: renewed every 100 s, after 30 s where that failed; no stream waits for it. */
static void the_lease_is_renewed_beside_the_stream(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(""), .ms = 99999 },  { .bytes = STR(""), .ms = 1 },
		{ .bytes = STR(DELTA("a")) },	    { .bytes = STR(DELTA("b")) },
		{ .bytes = STR(""), .ms = 100000 }, { .bytes = STR(DONE) },
	};
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	stub_turn_begin(&t, stub_good, 2);
	stub_db.steps = 2;
	stub_turn_play(&t);
	assert_string_equal(
		journal.text, OPENED
		"next flush next flush "
		"lease_renew(5, 'x', 300, 3200) step next token(a) flush "
		"step next token(b) flush "
		"next flush "
		"lease_renew(5, 'x', 300, 3200) step next flush " FINISH_CALL(
			"done", "'ab', null, null, null, null, 100000, 200000") "done(c-1, m-1, "
										"ab) flush stop ");
	/* No later than when the database must have answered: then it is begun anew. */
	assert_int_equal(stub_http.wake_at, STUB_TIME_START + 204000);
	stub_turn_free(&t);
}

static void a_renewal_that_fails_is_tried_again(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(""), .ms = 100000 },
		{ .bytes = STR(""), .ms = 29999 },
		{ .bytes = STR(""), .ms = 1 },
		{ .bytes = STR(DELTA("a")) },
		{ .bytes = STR(DONE) },
	};
	struct stub_turn t;
	int round;

	(void)state;
	for (round = 0; round < 2; round++) {
		SCRIPT(pieces);
		stub_turn_begin(&t, stub_good, 2);
		*(round ? &stub_db.started : &stub_db.stepped) = STATUS_UNAVAILABLE;
		stub_turn_play(&t);
		assert_int_equal(journal_count("lease_renew"), 2);
		assert_int_equal(
			journal_count(
				"lease_renew(5, 'x', 300, 3200) next flush next flush lease_renew"),
			round);
		assert_int_equal(stub_http.wake_at, STUB_TIME_START + 160000);
		assert_int_equal(t.turn.end, TURN_DONE);
		stub_turn_free(&t);
	}
}

/* A silent database must not make the stream spin: there is always a time to wait for. */
static void a_renewal_that_hangs_is_begun_anew(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(""), .ms = 100000 },
		{ .bytes = STR(""), .ms = 100000 },
		{ .bytes = STR(DELTA("a")) },
		{ .bytes = STR(DONE) },
	};
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	stub_turn_begin(&t, stub_good, 2);
	stub_db.steps = 1000;
	stub_turn_play(&t);
	assert_int_equal(journal_count("lease_renew"), 2);
	assert_true(stub_http.wake_at > stub_time.now);
	assert_int_equal(t.turn.end, TURN_DONE);
	stub_turn_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storing_is_tried_for_ten_seconds),
		cmocka_unit_test(what_is_not_stored_is_not_done),
		cmocka_unit_test(a_replay_asks_nobody),
		cmocka_unit_test(what_was_not_recorded_is_not_played),
		cmocka_unit_test(a_request_that_cannot_be_sent),
		cmocka_unit_test(the_lease_is_renewed_beside_the_stream),
		cmocka_unit_test(a_renewal_that_fails_is_tried_again),
		cmocka_unit_test(a_renewal_that_hangs_is_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
