/* chat/turn when memory fails: no crash, nothing left, exactly one end or a refused start. */
#include "stub_alloc.h"
#include "stub_turn.h"

#include "base/log.h"

static const struct stub_piece pieces[] = {
	{ .bytes = STR(DELTA("Hel") "data: {\"cho") },
	{ .bytes = STR("ices\":[]}\n\n" DELTA("lo") "data: [DO"), .ms = 100000 },
	{ .bytes = STR("NE]\n"), .ended = true },
};

/* A member is refused first, by words that are read and remembered. */
static const struct stub_piece refused[] = {
	{ .bytes = STR("{\"error\":{\"message\":\"Unknown parameter: 'stream_options'\"}}"),
	  .http = 400,
	  .ended = true },
	{ .bytes = STR(DELTA("Hel") DELTA("lo") DONE), .http = 200, .ended = true },
};

static const struct stub_piece *script = pieces;
static size_t script_n = COUNT(pieces);

/* True if memory for the exchange's record was there. */
static bool play(struct stub_turn *t, enum status *opened)
{
	*opened = stub_turn_new(t);
	if (*opened)
		return false;
	*opened = turn_open(&t->turn);
	if (*opened)
		return false;
	turn_play(&t->turn, &t->sink, LIMIT_MS);
	return true;
}

static void one_round(bool failing)
{
	bool started, done, failed, stored;
	enum status status;
	struct stub_turn t;

	stub_db_script(stub_good, 2);
	stub_http_script(script, script_n);
	started = play(&t, &status);
	done = journal_count("done(c-1, m-1, Hello)") == 1;
	failed = journal_count("error ") == 1;
	stored = journal_count("'done'") > 0;
	if (started) {
		assert_int_equal(journal_count(" start(c-1"), 1);
		assert_int_equal(journal_count("done(") + journal_count("error "), 1);
		/* Done is said if, and only if, it was stored as done. */
		assert_int_equal(done, stored);
		assert_int_equal(done, t.turn.end == TURN_DONE);
		assert_int_equal(failed, t.turn.end == TURN_FAILED);
		assert_int_equal(*t.turn.cause != '\0', failed);
	} else {
		assert_int_equal(status, STATUS_NOMEM);
		assert_int_equal(journal_count(" start(c-1"), 0);
	}
	if (!failing)
		assert_true(done);
	stub_turn_free(&t);
}

static void every_allocation_fails_once(void **state)
{
	(void)state;
	script = pieces;
	script_n = COUNT(pieces);
	assert_true(alloc_torture(one_round) > 10);
	script = refused;
	script_n = COUNT(refused);
	assert_true(alloc_torture(one_round) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_fails_once),
	};

	log_open("test", LOG_LEVEL_ERROR, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
