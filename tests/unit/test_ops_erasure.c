/* ops/erasure: which conversations, and how it goes on. */
#include "unit_ops.h"

#include "ops/erasure.h"

#define ERASE                                                                                      \
	"deleting: select conversations, exchanges, next_workspace, next_conversation from"        \
	" banter.conversation_erase(p_conversations => $1, p_chatbot => $2, p_session => $3,"      \
	" p_metadata => $4, p_age => $5, p_retention => $6, p_visitor => $7, p_user => $8,"        \
	" p_after_workspace => $9, p_after_conversation => $10, p_limit => $11) "

static void counting_takes_the_choice(void **state)
{
	static const struct stub_row counted[] = { { { "3", "9", "1" } } };
	const struct ops_erasure which = {
		.chatbot = "Bot", .session = "s-1", .visitor = "v-1", .user = "anna"
	};
	struct ops_erased there;

	(void)state;
	ANSWERS(ROWS(counted));
	assert_int_equal(ops_erasure_count(&unit_ops.ops, &which, &there), STATUS_OK);
	assert_string_equal(journal.text,
			    "counting: select conversations, exchanges, running from"
			    " banter.conversation_erase_count(p_conversations => $1,"
			    " p_chatbot => $2, p_session => $3, p_metadata => $4, p_age => $5,"
			    " p_retention => $6, p_visitor => $7, p_user => $8)"
			    " (null, Bot, s-1, null, null, f, v-1, anna) ");
	assert_int_equal(there.conversations, 3);
	assert_int_equal(there.exchanges, 9);
	assert_int_equal(there.running, 1);
}

static void steps_add_up_until_there_are_no_more(void **state)
{
	static const struct stub_row first[] = { { { "100", "250", "7", "c-100" } } };
	static const struct stub_row second[] = { { { "4", "5", NULL, NULL } } };
	const struct ops_erasure which = { .conversations = "c-1\nc-2" };
	struct ops_erasing erasing = { .ended = false };

	(void)state;
	ANSWERS(ROWS(first), ROWS(second));
	assert_int_equal(ops_erasure_step(&unit_ops.ops, &which, &erasing), STATUS_OK);
	assert_false(erasing.ended);
	assert_int_equal(ops_erasure_step(&unit_ops.ops, &which, &erasing), STATUS_OK);
	assert_true(erasing.ended);
	assert_int_equal(erasing.erased.conversations, 104);
	assert_int_equal(erasing.erased.exchanges, 255);
	assert_string_equal(
		journal.text,
		ERASE "(c-1\nc-2, null, null, null, null, f, null, null, null, null, 100) " ERASE
		      "(c-1\nc-2, null, null, null, null, f, null, null, 7, c-100, 100) ");
	ops_erasure_end(&erasing);
}

static void what_was_erased_before_a_failure_still_counts(void **state)
{
	static const struct stub_row first[] = { { { "100", "250", "7", "c-100" } } };
	const struct ops_erasure which = { .age = "90d" };
	struct ops_erasing erasing = { .ended = false };

	(void)state;
	ANSWERS(ROWS(first), REFUSES("an age is a number"));
	assert_int_equal(ops_erasure_step(&unit_ops.ops, &which, &erasing), STATUS_OK);
	assert_refused(ops_erasure_step(&unit_ops.ops, &which, &erasing), STATUS_REFUSED,
		       "an age is a number");
	assert_int_equal(erasing.erased.conversations, 100);
	assert_false(erasing.ended);
	ops_erasure_end(&erasing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(counting_takes_the_choice),
		OPS_TEST(steps_add_up_until_there_are_no_more),
		OPS_TEST(what_was_erased_before_a_failure_still_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
