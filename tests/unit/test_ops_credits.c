/* ops/credits: what it says to the database, and what comes back. */
#include "unit_ops.h"

#include "ops/credits.h"

#define SHOW "select * from banter.credits_show(p_workspace => $1)"

static const struct stub_row changed[] = { { { "7" } } };
static const struct stub_row shown[] = { { { "7", "Shop", "480" } } };

static void add_books_and_shows(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(ROWS(changed), ROWS(shown));
	assert_int_equal(ops_credits_add(&unit_ops.ops, "Shop", -20, &rows), STATUS_OK);
	assert_string_equal(journal.text, "credits add: select banter.credit_add(p_workspace => $1,"
					  " p_credits => $2) (Shop, -20) "
					  "credits add: " SHOW " (7) ");
	assert_int_equal(db_rows_integer(rows, 0, 2, 0), 480);
	db_rows_free(rows);
	rows = NULL;

	ANSWERS(REFUSES("it can have from 0"));
	assert_refused(ops_credits_add(&unit_ops.ops, "Shop", -20, &rows), STATUS_REFUSED,
		       "it can have from 0");
	assert_null(rows);
}

static void show_and_list_take_a_workspace(void **state)
{
	struct db_rows *rows = NULL, *more = NULL, *totals = NULL;

	(void)state;
	ANSWERS(ROWS(shown));
	assert_int_equal(ops_credits_show(&unit_ops.ops, NULL, &rows), STATUS_OK);
	assert_int_equal(ops_credits_list(&unit_ops.ops, "Shop", 50, &more), STATUS_OK);
	assert_int_equal(ops_credits_totals(&unit_ops.ops, &totals), STATUS_OK);
	assert_string_equal(journal.text,
			    "credits show: " SHOW " (null) "
			    "credits list: select * from banter.credits_list("
			    "p_workspace => $1, p_limit => $2) (Shop, 50) "
			    "credits totals: select * from banter.credits_totals()  ");
	db_rows_free(rows);
	db_rows_free(more);
	db_rows_free(totals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(add_books_and_shows),
		OPS_TEST(show_and_list_take_a_workspace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
