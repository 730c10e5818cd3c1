/* ops/workspace: what it says to the database, and what comes back. */
#include "unit_ops.h"

#include "ops/workspace.h"

#define SHOW "select * from banter.workspace_show(p_workspace => $1)"
#define JUDGE "select banter.settings_refusal(p_what => $1, p_changes => $2, p_name => $3)"

static const struct stub_row changed[] = { { { "its-id" } } };
static const struct stub_row shown[] = { { { "its-id", "its name" } } };
static const struct stub_row wrong[] = { { { "price must be a number" } } };

static void create_judges_makes_and_shows(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, ROWS(changed), ROWS(shown));
	assert_int_equal(ops_workspace_create(&unit_ops.ops, "Name", "{\"a\":\"b\"}", &rows),
			 STATUS_OK);
	assert_string_equal(
		journal.text,
		"workspace create: " JUDGE " (workspace, {\"a\":\"b\"}, Name) "
		"workspace create: select banter.workspace_new(p_workspace => $1, p_name => $2, "
		"p_changes => $3) (9187201950435737471, Name, {\"a\":\"b\"}) "
		"workspace create: " SHOW " (its-id) ");
	assert_str(db_rows_text(rows, 0, 1), "its name");
	db_rows_free(rows);
}

static void what_is_wrong_makes_nothing(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(ROWS(wrong));
	assert_refused(ops_workspace_create(&unit_ops.ops, "Name", "{\"a\":\"b\"}", &rows),
		       STATUS_INVALID, "price must be a number");
	assert_null(rows);
	assert_int_equal(journal_count("workspace create"), 1);
}

static void show_and_list_take_a_name(void **state)
{
	struct db_rows *rows = NULL, *more = NULL;

	(void)state;
	ANSWERS(ROWS(shown));
	assert_int_equal(ops_workspace_show(&unit_ops.ops, "Name", &rows), STATUS_OK);
	assert_int_equal(ops_workspace_list(&unit_ops.ops, &more), STATUS_OK);
	assert_string_equal(journal.text,
			    "workspace show: " SHOW " (Name) "
			    "workspace list: select * from banter.workspace_list()  ");
	db_rows_free(rows);
	db_rows_free(more);
}

static void set_judges_and_shows(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, ROWS(changed), ROWS(shown));
	assert_int_equal(ops_workspace_set(&unit_ops.ops, "Name", "{}", &rows), STATUS_OK);
	assert_string_equal(journal.text, "workspace set: " JUDGE " (workspace, {}, null) "
					  "workspace set: select banter.workspace_set(p_workspace "
					  "=> $1, p_changes => $2) (Name, {}) "
					  "workspace set: " SHOW " (its-id) ");
	db_rows_free(rows);
	rows = NULL;

	ANSWERS(ROWS(wrong));
	assert_refused(ops_workspace_set(&unit_ops.ops, "Name", "{}", &rows), STATUS_INVALID,
		       "price must be a number");
	assert_int_equal(journal_count("workspace set"), 1);
}

static void revoke_asks_first(void **state)
{
	struct db_rows *asked = NULL, *rows = NULL;

	(void)state;
	ANSWERS(ROWS(changed), ROWS(changed), ROWS(shown));
	assert_int_equal(ops_workspace_question(&unit_ops.ops, "Name", &asked), STATUS_OK);
	assert_int_equal(ops_workspace_revoke(&unit_ops.ops, db_rows_text(asked, 0, 0).p, &rows),
			 STATUS_OK);
	assert_string_equal(journal.text,
			    "workspace revoke: select * from banter.workspace_question(p_workspace "
			    "=> $1) (Name) "
			    "workspace revoke: select banter.workspace_set(p_workspace => $1, "
			    "p_changes => '{\"active\":\"no\"}') (its-id) "
			    "workspace revoke: " SHOW " (its-id) ");
	db_rows_free(asked);
	db_rows_free(rows);
}

static void a_refusal_comes_back_in_words(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, REFUSES("there is no workspace \"Name\""));
	assert_refused(ops_workspace_set(&unit_ops.ops, "Name", "{}", &rows), STATUS_REFUSED,
		       "there is no workspace \"Name\"");
	assert_null(rows);

	ANSWERS(FAILS(STATUS_UNAVAILABLE));
	assert_int_equal(ops_workspace_show(&unit_ops.ops, "Name", &rows), STATUS_UNAVAILABLE);
	assert_null(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(create_judges_makes_and_shows),
		OPS_TEST(what_is_wrong_makes_nothing),
		OPS_TEST(show_and_list_take_a_name),
		OPS_TEST(set_judges_and_shows),
		OPS_TEST(revoke_asks_first),
		OPS_TEST(a_refusal_comes_back_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
