/* ops/removal: what is named, and how it goes on. */
#include "unit_ops.h"

#include "ops/removal.h"

#define STEPPED                                                                                    \
	"deleting: select removed, next, ended from banter.removal_step(p_workspace => $1,"        \
	" p_chatbot => $2, p_keep_totals => $3, p_after => $4, p_limit => $5) "

static void the_question_takes_one_of_both(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, REFUSES("there is no workspace \"Shop\""));
	assert_int_equal(ops_removal_question(&unit_ops.ops, NULL, "Bot", &rows), STATUS_OK);
	assert_string_equal(journal.text,
			    "deleting: select workspace, chatbot, entries, question from"
			    " banter.removal_question(p_workspace => $1, p_chatbot => $2)"
			    " (null, Bot) ");
	assert_refused(ops_removal_question(&unit_ops.ops, "Shop", NULL, &rows), STATUS_REFUSED,
		       "there is no workspace \"Shop\"");
	assert_null(rows);
}

static void it_is_shut_at_first(void **state)
{
	const struct ops_removal which = { .workspace = "7" };

	(void)state;
	ANSWERS(NOTHING, FAILS(STATUS_UNAVAILABLE));
	assert_int_equal(ops_removal_begin(&unit_ops.ops, &which), STATUS_OK);
	assert_string_equal(journal.text, "deleting: select banter.removal_begin("
					  "p_workspace => $1, p_chatbot => $2) (7, null) ");
	assert_int_equal(ops_removal_begin(&unit_ops.ops, &which), STATUS_UNAVAILABLE);
}

static void steps_go_on_where_the_last_one_ended(void **state)
{
	static const struct stub_row first[] = { { { "1000", "c-100", "f" } } };
	static const struct stub_row second[] = { { { "4", NULL, "f" } } };
	static const struct stub_row last[] = { { { "0", NULL, "t" } } };
	const struct ops_removal which = { .workspace = "7", .chatbot = "b", .keep_totals = true };
	struct ops_removing removing = { .ended = false };
	int i;

	(void)state;
	ANSWERS(ROWS(first), ROWS(second), FAILS(STATUS_UNAVAILABLE), ROWS(last));
	for (i = 0; i < 2; i++)
		assert_int_equal(ops_removal_step(&unit_ops.ops, &which, &removing), STATUS_OK);
	assert_int_equal(ops_removal_step(&unit_ops.ops, &which, &removing), STATUS_UNAVAILABLE);
	assert_false(removing.ended);
	assert_int_equal(ops_removal_step(&unit_ops.ops, &which, &removing), STATUS_OK);
	assert_true(removing.ended);
	assert_int_equal(removing.entries, 1004);
	assert_string_equal(journal.text, STEPPED
			    "(7, b, t, null, 1000) " STEPPED "(7, b, t, c-100, 1000) " STEPPED
			    "(7, b, t, null, 1000) " STEPPED "(7, b, t, null, 1000) ");
	ops_removal_end(&removing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(the_question_takes_one_of_both),
		OPS_TEST(it_is_shut_at_first),
		OPS_TEST(steps_go_on_where_the_last_one_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
