/* chat/turn: an exchange that somebody has stopped, and who asks for that; the edges are stubs. */
#include "stub_turn.h"

#include "chat/stops.h"

static struct running running;

/* The model's transfer ends as the wait does: its exchange is said to end while that piece is waited for. */
static void begin(struct stub_turn *t, const struct stub_answer *answers, int count)
{
	running = (struct running){ 0 };
	stub_turn_begin(t, answers, count);
	t->wait.running = &running;
	atomic_store(&running.ending, 1); /* the first one's number */
}

#define STOPPED                                                                                    \
	{                                                                                          \
		.bytes = STR(""), .status = STATUS_STOPPED                                         \
	}

static void what_came_is_kept_and_done(void **state)
{
	static const struct stub_piece pieces[] = { { .bytes = STR(DELTA("a")) }, STOPPED };
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	begin(&t, stub_good, 2);
	stub_turn_play(&t);
	assert_string_equal(
		journal.text,
		OPENED "next token(a) flush next flush " FINISH_CALL(
			"left", "'a', null, null, null, 'it was stopped', 0, 0") "done(c-1, m-1, "
										 "a) flush ");
	assert_int_equal(t.turn.end, TURN_STOPPED);
	assert_string_equal(t.turn.cause, "it was stopped");
	assert_int_equal(running.number, 0);
	stub_turn_free(&t);
}

static void without_text_it_is_an_error(void **state)
{
	static const struct stub_piece none[] = { STOPPED };
	static const struct stub_piece blank[] = { { .bytes = STR(DELTA(" ")) }, STOPPED };
	struct stub_turn t;
	int round;

	(void)state;
	for (round = 0; round < 2; round++) {
		stub_http_script(round ? blank : none, (size_t)round + 1);
		begin(&t, stub_good, 2);
		stub_turn_play(&t);
		assert_int_equal(journal_count("exchange_end(5, 'x', 'failed'"), 1);
		assert_int_equal(journal_count("'it was stopped'"), 1);
		assert_int_equal(journal_count("done("), 0);
		assert_int_equal(journal_count("error flush"), 1);
		assert_int_equal(stub_sink.retry_s, 0);
		assert_int_equal(t.turn.end, TURN_STOPPED);
		stub_turn_free(&t);
	}
}

/* Whoever has a client that has left, or has to end itself, is not stopped by that. */
static void other_ends_are_what_they_were(void **state)
{
	static const struct stub_piece left[] = { { .bytes = STR(DELTA("a")) },
						  { .bytes = STR(""), .status = STATUS_CLOSED } };
	static const struct stub_piece drained[] = { { .bytes = STR(DELTA("a")) }, STOPPED };
	struct stub_turn t;

	(void)state;
	SCRIPT(left);
	begin(&t, stub_good, 2);
	stub_turn_play(&t);
	assert_int_equal(journal_count("'the client left'"), 1);
	assert_int_equal(journal_count("done("), 0);
	assert_int_equal(t.turn.end, TURN_LEFT);
	stub_turn_free(&t);

	SCRIPT(drained);
	begin(&t, stub_good, 2);
	atomic_store(&running.ending, 7); /* another's number */
	stub_turn_play(&t);
	assert_int_equal(journal_count("exchange_end(5, 'x', 'failed'"), 1);
	assert_int_equal(journal_count("'this worker had to stop'"), 1);
	assert_int_equal(journal_count("error flush"), 1);
	assert_int_equal(t.turn.end, TURN_FAILED);
	stub_turn_free(&t);
}

/* What was whole before anybody looked is done. */
static void an_answer_that_is_whole_is_stored(void **state)
{
	static const struct stub_piece pieces[] = { { .bytes = STR(DELTA("a") DONE) } };
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	begin(&t, stub_good, 2);
	stub_turn_play(&t);
	assert_int_equal(journal_count("exchange_end(5, 'x', 'done', 'a'"), 1);
	assert_int_equal(t.turn.end, TURN_DONE);
	stub_turn_free(&t);
}

static void what_cannot_be_stored_is_an_error(void **state)
{
	static const struct stub_piece pieces[] = { { .bytes = STR(DELTA("a")) }, STOPPED };
	static const struct stub_answer gone[] = { BEGUN, { .rows = stub_gone, .count = 1 } };
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	begin(&t, gone, 2);
	stub_turn_play(&t);
	assert_int_equal(journal_count("done("), 0);
	assert_int_equal(journal_count("error flush"), 1);
	stub_turn_free(&t);
}

#define ASKED "stops({5}, {x}) step "

/* A worker without a stopper asks by itself, beside the stream; an answer with a row ends it. */
static void who_is_alone_asks_once_a_second(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(""), .ms = 999 },   { .bytes = STR(""), .ms = 1 },
		{ .bytes = STR(DELTA("a")) },	   { .bytes = STR(""), .ms = STOPS_MS },
		{ .bytes = STR(""), .ms = 98000 }, STOPPED,
	};
	static const struct stub_piece told[] = { { .bytes = STR(DELTA("a")), .ms = STOPS_MS },
						  STOPPED };
	static const struct stub_row found = { { "5", "x" } };
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	begin(&t, stub_good, 2);
	t.context.alone = true;
	atomic_store(&running.ending, 0);
	stub_turn_play(&t);
	assert_int_equal(journal_count("next flush next flush " ASKED "next token(a) flush "
				       "next flush " ASKED "next flush lease_renew(5, "),
			 1);
	assert_int_equal(t.turn.end, TURN_FAILED);
	stub_turn_free(&t);

	SCRIPT(told);
	begin(&t, stub_good, 2);
	t.context.alone = true;
	atomic_store(&running.ending, 0);
	stub_db.found = &found;
	stub_turn_play(&t);
	assert_int_equal(journal_count("done(c-1, m-1, a) flush"), 1);
	assert_int_equal(t.turn.end, TURN_STOPPED);
	stub_turn_free(&t);
}

/* A database that is away, or silent, is not asked more often, and the lease comes first. */
static void a_poll_that_fails_waits_longer(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(""), .ms = 1000 },  { .bytes = STR(""), .ms = 4999 },
		{ .bytes = STR(""), .ms = 1 },	   { .bytes = STR(""), .ms = 94000 },
		{ .bytes = STR(DELTA("a") DONE) },
	};
	struct stub_turn t;

	(void)state;
	SCRIPT(pieces);
	begin(&t, stub_good, 2);
	t.context.alone = true;
	stub_db.stepped = STATUS_UNAVAILABLE;
	stub_turn_play(&t);
	assert_int_equal(journal_count("stops("), 2);
	assert_int_equal(journal_count("lease_renew("), 1);
	stub_turn_free(&t);

	SCRIPT(pieces);
	begin(&t, stub_good, 2);
	t.context.alone = true;
	stub_db.steps = 1000;
	stub_turn_play(&t);
	assert_int_equal(journal_count("stops("), 1);
	assert_int_equal(journal_count("lease_renew("), 1);
	assert_true(stub_http.wake_at > stub_time.now);
	stub_turn_free(&t);
}

static void pairs_are_two_arrays(void **state)
{
	static const struct stub_row found = { { "-7", "b-2" } };
	const struct stub_answer answers[] = { { .rows = &found, .count = 1 } };
	struct db db = { false };
	struct db_rows *rows;
	struct db_query query;
	struct stops stops;
	struct wait wait;
	struct str exchange;
	int64_t workspace;

	(void)state;
	wait_init(&wait);
	stub_db_script(answers, 1);
	stops_init(&stops);
	journal_clear();
	stops_add(&stops, 5, "a_1");
	stops_add(&stops, INT64_MIN, "b-2");
	assert_int_equal(stops_put(&stops, &query), STATUS_OK);
	assert_int_equal(db_call(&db, &wait, &query, CLOCK_NEVER, &rows), STATUS_OK);
	stops_row(rows, 0, &workspace, &exchange);
	assert_int_equal(workspace, -7);
	assert_str(exchange, "b-2");
	db_rows_free(rows);
	stops_reset(&stops);
	assert_int_equal(stops_put(&stops, &query), STATUS_OK);
	assert_int_equal(db_call(&db, &wait, &query, CLOCK_NEVER, &rows), STATUS_OK);
	db_rows_free(rows);
	assert_string_equal(journal.text,
			    "stops({5,-9223372036854775808}, {a_1,b-2}) stops({}, {}) ");
	stops_clear(&stops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_is_kept_and_done),
		cmocka_unit_test(without_text_it_is_an_error),
		cmocka_unit_test(other_ends_are_what_they_were),
		cmocka_unit_test(an_answer_that_is_whole_is_stored),
		cmocka_unit_test(what_cannot_be_stored_is_an_error),
		cmocka_unit_test(who_is_alone_asks_once_a_second),
		cmocka_unit_test(a_poll_that_fails_waits_longer),
		cmocka_unit_test(pairs_are_two_arrays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
