/* ops/shards_move: transactions that hold others up begin and end with what they are for. */
#include "unit_ops.h"

#include "ops/shards_move.h"

static const struct stub_row yes[] = { { { "t" } } };
static const struct stub_row no[] = { { { "f" } } };
static const struct stub_row fault[] = { { { "it is a standby" } } };
static const struct stub_row nothing[] = { { { NULL } } };

static void calls_are_held_until_the_map_is_changed(void **state)
{
	bool held = false;

	(void)state;
	ANSWERS(ROWS(yes), ROWS(nothing));
	assert_int_equal(ops_move_hold(&unit_ops.ops, "2", &held), STATUS_OK);
	assert_true(held);
	assert_int_equal(journal_count("begin isolation level read committed"), 1);
	assert_int_equal(journal_count("hold "), 1);
	assert_int_equal(journal_count("let go "), 0);
	assert_int_equal(ops_move_switch(&unit_ops.ops, "2"), STATUS_OK);
	assert_int_equal(journal_count("commit "), 1);
	assert_int_equal(journal_count("let go "), 1);
}

static void who_does_not_hold_them_keeps_no_transaction(void **state)
{
	bool held = true;

	(void)state;
	ANSWERS(ROWS(no));
	assert_int_equal(ops_move_hold(&unit_ops.ops, "2", &held), STATUS_OK);
	assert_false(held);
	assert_int_equal(journal_count("rollback "), 1);
	assert_int_equal(journal_count("let go "), 1);
	ANSWERS(FAILS(STATUS_UNAVAILABLE));
	assert_int_equal(ops_move_still(&unit_ops.ops, &held), STATUS_UNAVAILABLE);
	assert_false(held);
	assert_int_equal(journal_count("rollback "), 1);
}

static void what_failed_is_not_committed(void **state)
{
	(void)state;
	ANSWERS(FAILS(STATUS_FAILED));
	assert_int_equal(ops_move_switch(&unit_ops.ops, "2"), STATUS_FAILED);
	assert_int_equal(journal_count("commit "), 0);
	assert_int_equal(journal_count("let go "), 1);
}

static void a_fault_is_told_in_its_words(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(ROWS(fault));
	assert_int_equal(ops_move_look_source(&unit_ops.ops, 7, &rows), STATUS_REFUSED);
	assert_string_equal(unit_ops.ops.refusal, "it is a standby");
	assert_null(rows);
	/* One that is not as the other goes on following it. */
	ANSWERS(ROWS(fault));
	assert_int_equal(ops_move_settle(&unit_ops.ops, "{}", "1 workspace"), STATUS_REFUSED);
	assert_int_equal(journal_count("move_settle"), 0);
}

static void another_one_may_be_at_it(void **state)
{
	(void)state;
	ANSWERS(ROWS(no));
	assert_int_equal(ops_move_attend(&unit_ops.ops, "2"), STATUS_REFUSED);
	assert_string_equal(unit_ops.ops.refusal, "another banterctl is moving this partition");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(calls_are_held_until_the_map_is_changed),
		OPS_TEST(who_does_not_hold_them_keeps_no_transaction),
		OPS_TEST(what_failed_is_not_committed),
		OPS_TEST(a_fault_is_told_in_its_words),
		OPS_TEST(another_one_may_be_at_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
