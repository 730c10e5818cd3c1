/* ops/chatbot: what it says to the database, and what comes back. */
#include "unit_ops.h"

#include "ops/chatbot.h"

#define SHOW "select * from banter.chatbot_show(p_chatbot => $1)"
#define JUDGE "select banter.settings_refusal(p_what => $1, p_changes => $2, p_name => $3)"

static const struct stub_row changed[] = { { { "its-id" } } };
static const struct stub_row shown[] = { { { "its-id", "its name" } } };
static const struct stub_row wrong[] = { { { "price must be a number" } } };

static void create_judges_makes_and_shows(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, ROWS(changed), ROWS(shown));
	assert_int_equal(ops_chatbot_create(&unit_ops.ops, "Shop", "Name", "{\"a\":\"b\"}", &rows),
			 STATUS_OK);
	assert_string_equal(
		journal.text,
		"chatbot create: " JUDGE " (chatbot, {\"a\":\"b\"}, Name) "
		"chatbot create: select banter.chatbot_new(p_workspace => $1, p_chatbot => $2, "
		"p_name => $3, p_changes => $4) (Shop, a-new-id, Name, {\"a\":\"b\"}) "
		"chatbot create: " SHOW " (its-id) ");
	assert_str(db_rows_text(rows, 0, 1), "its name");
	db_rows_free(rows);
}

static void what_is_wrong_makes_nothing(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(ROWS(wrong));
	assert_refused(ops_chatbot_create(&unit_ops.ops, "Shop", "Name", "{\"a\":\"b\"}", &rows),
		       STATUS_INVALID, "price must be a number");
	assert_null(rows);
	assert_int_equal(journal_count("chatbot create"), 1);
}

static void show_and_list_take_a_name(void **state)
{
	struct db_rows *rows = NULL, *more = NULL;

	(void)state;
	ANSWERS(ROWS(shown));
	assert_int_equal(ops_chatbot_show(&unit_ops.ops, "Name", &rows), STATUS_OK);
	assert_int_equal(ops_chatbot_list(&unit_ops.ops, NULL, &more), STATUS_OK);
	assert_string_equal(
		journal.text,
		"chatbot show: " SHOW " (Name) "
		"chatbot list: select * from banter.chatbot_list(p_workspace => $1) (null) ");
	db_rows_free(rows);
	db_rows_free(more);
}

static void set_judges_and_shows(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, ROWS(changed), ROWS(shown));
	assert_int_equal(ops_chatbot_set(&unit_ops.ops, "Name", "{}", &rows), STATUS_OK);
	assert_string_equal(journal.text, "chatbot set: " JUDGE " (chatbot, {}, null) "
					  "chatbot set: select banter.chatbot_set(p_chatbot => $1, "
					  "p_changes => $2) (Name, {}) "
					  "chatbot set: " SHOW " (its-id) ");
	db_rows_free(rows);
	rows = NULL;

	ANSWERS(ROWS(wrong));
	assert_refused(ops_chatbot_set(&unit_ops.ops, "Name", "{}", &rows), STATUS_INVALID,
		       "price must be a number");
	assert_int_equal(journal_count("chatbot set"), 1);
}

static void revoke_asks_first(void **state)
{
	struct db_rows *asked = NULL, *rows = NULL;

	(void)state;
	ANSWERS(ROWS(changed), ROWS(changed), ROWS(shown));
	assert_int_equal(ops_chatbot_question(&unit_ops.ops, "Name", &asked), STATUS_OK);
	assert_int_equal(ops_chatbot_revoke(&unit_ops.ops, db_rows_text(asked, 0, 0).p, &rows),
			 STATUS_OK);
	assert_string_equal(
		journal.text,
		"chatbot revoke: select * from banter.chatbot_question(p_chatbot => $1) (Name) "
		"chatbot revoke: select banter.chatbot_set(p_chatbot => $1, p_changes => "
		"'{\"active\":\"no\"}') (its-id) "
		"chatbot revoke: " SHOW " (its-id) ");
	db_rows_free(asked);
	db_rows_free(rows);
}

static void a_refusal_comes_back_in_words(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, REFUSES("there is no chatbot \"Name\""));
	assert_refused(ops_chatbot_set(&unit_ops.ops, "Name", "{}", &rows), STATUS_REFUSED,
		       "there is no chatbot \"Name\"");
	assert_null(rows);

	ANSWERS(FAILS(STATUS_UNAVAILABLE));
	assert_int_equal(ops_chatbot_show(&unit_ops.ops, "Name", &rows), STATUS_UNAVAILABLE);
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
