/* ops/conversation: reading in steps, and what a line of an export becomes. */
#include "unit_ops.h"

#include "ops/conversation.h"

#define SEARCH                                                                                     \
	"search: select conversation as conversation_id, started_at, found_in as \"in\","          \
	" excerpt, chatbot, chatbot_id, next_workspace, next_exchange"                             \
	" from banter.conversation_search(p_text => $1, p_chatbot => $2,"                          \
	" p_workspace => $3, p_exchange => $4, p_limit => $5) "
#define EXPORT                                                                                     \
	"export: select * from banter.conversation_export(p_format => $1, p_workspace => $2,"      \
	" p_chatbot => $3, p_conversation => $4, p_running => $5, p_after_workspace => $6,"        \
	" p_after_conversation => $7, p_after_position => $8, p_after_attempt => $9,"              \
	" p_limit => $10) "
#define IMPORT                                                                                     \
	"import: select outcome, why from banter.conversation_import("                             \
	"p_record => $1, p_chatbot => $2) "

static void list_takes_a_choice(void **state)
{
	const struct ops_conversation_choice choice = {
		.chatbot = "Bot", .user = "anna", .since = "7d", .limit = 50
	};
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING);
	assert_int_equal(ops_conversation_list(&unit_ops.ops, &choice, &rows), STATUS_OK);
	assert_string_equal(journal.text,
			    "conversation list: select conversation as conversation_id, chatbot,"
			    " session, exchanges, last_at, created_at, user_id, chatbot_id,"
			    " visitor, thread from banter.conversation_list(p_chatbot => $1,"
			    " p_session => $2, p_since => $3, p_limit => $4, p_visitor => $5,"
			    " p_user => $6) (Bot, null, 7d, 50, null, anna) ");
}

static void a_search_goes_on_where_it_was(void **state)
{
	static const struct stub_row first[] = { { { "c-1", "t", "question", "x", "Bot", "b-1" } },
						 { { [6] = "7", "e-9" } } };
	static const struct stub_row second[] = { { { "c-2", "t", "answer", "x", "Bot", "b-1" } } };
	const struct ops_conversation_search search = { .text = STR("it's"), .chatbot = "Bot" };
	struct db_rows *last = NULL, *rows = NULL;

	(void)state;
	ANSWERS(ROWS(first), ROWS(second));
	assert_int_equal(ops_conversation_search_next(&unit_ops.ops, &search, NULL, &last),
			 STATUS_OK);
	assert_int_equal(ops_conversation_found(last), 1);
	assert_true(ops_conversation_search_goes_on(last));
	assert_int_equal(ops_conversation_search_next(&unit_ops.ops, &search, last, &rows),
			 STATUS_OK);
	assert_int_equal(ops_conversation_found(rows), 1);
	assert_false(ops_conversation_search_goes_on(rows));
	assert_string_equal(journal.text, SEARCH "('it's', Bot, null, null, 2000) " SEARCH
						 "('it's', Bot, 7, e-9, 2000) ");
	assert_int_equal(ops_conversation_found(NULL), 0);
	assert_false(ops_conversation_search_goes_on(NULL));
	db_rows_free(last);
	db_rows_free(rows);
}

static void an_export_is_of_one_moment(void **state)
{
	(void)state;
	ANSWERS(NOTHING);
	assert_int_equal(ops_conversation_export_begin(&unit_ops.ops), STATUS_OK);
	assert_string_equal(journal.text,
			    "script export: begin isolation level repeatable read read only hold ");
	stub_db.scripted = STATUS_UNAVAILABLE;
	journal_clear();
	assert_int_equal(ops_conversation_export_begin(&unit_ops.ops), STATUS_UNAVAILABLE);
	assert_int_equal(journal_count("hold"), 0);
}

static void an_export_goes_on_behind_its_last_row(void **state)
{
	static struct stub_row first[200];
	static const struct stub_row second[] = { { { "7", "c-2", "2", "0", "head", NULL } } };
	const struct ops_conversation_export which = { .format = "jsonl", .workspace = "Shop" };
	struct db_rows *last = NULL, *rows = NULL;

	(void)state;
	first[199] = (struct stub_row){ { "7", "c-1", "3", "1", "head", "body" } };
	ANSWERS(ROWS(first), ROWS(second));
	assert_int_equal(ops_conversation_export_next(&unit_ops.ops, &which, NULL, &last),
			 STATUS_OK);
	assert_true(ops_conversation_export_goes_on(last));
	assert_int_equal(ops_conversation_export_next(&unit_ops.ops, &which, last, &rows),
			 STATUS_OK);
	assert_false(ops_conversation_export_goes_on(rows));
	assert_string_equal(journal.text, EXPORT
			    "(jsonl, Shop, null, null, f, null, null, null, null, 200) " EXPORT
			    "(jsonl, Shop, null, null, f, 7, c-1, 3, 1, 200) ");
	db_rows_free(last);
	db_rows_free(rows);
}

static void a_line_is_stored_or_refused(void **state)
{
	static const struct stub_row imported[] = { { { "imported" } } };
	static const struct stub_row present[] = { { { "present" } } };
	static const struct stub_row refused[] = { { { "refused", "it is not JSON" } } };
	enum ops_import outcome = OPS_PRESENT;

	(void)state;
	ANSWERS(ROWS(imported), ROWS(present), ROWS(refused), REFUSES("there is no chatbot"));
	assert_int_equal(ops_conversation_import(&unit_ops.ops, STR("{}"), "Bot", &outcome),
			 STATUS_OK);
	assert_int_equal(outcome, OPS_IMPORTED);
	assert_string_equal(journal.text, IMPORT "('{}', Bot) ");
	assert_int_equal(ops_conversation_import(&unit_ops.ops, STR("{}"), NULL, &outcome),
			 STATUS_OK);
	assert_int_equal(outcome, OPS_PRESENT);
	assert_refused(ops_conversation_import(&unit_ops.ops, STR("{}"), NULL, &outcome),
		       STATUS_INVALID, "it is not JSON");
	assert_refused(ops_conversation_import(&unit_ops.ops, STR("{}"), NULL, &outcome),
		       STATUS_REFUSED, "there is no chatbot");
}

static void what_is_no_text_never_reaches_the_database(void **state)
{
	enum ops_import outcome = OPS_PRESENT;

	(void)state;
	ANSWERS(NOTHING);
	assert_int_equal(ops_conversation_import(&unit_ops.ops, STR("\xff"), NULL, &outcome),
			 STATUS_INVALID);
	assert_string_equal(unit_ops.ops.refusal, "it is no text in UTF-8");
	assert_int_equal(ops_conversation_import(&unit_ops.ops, STR("a\0b"), NULL, &outcome),
			 STATUS_INVALID);
	assert_string_equal(journal.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(list_takes_a_choice),
		OPS_TEST(a_search_goes_on_where_it_was),
		OPS_TEST(an_export_is_of_one_moment),
		OPS_TEST(an_export_goes_on_behind_its_last_row),
		OPS_TEST(a_line_is_stored_or_refused),
		OPS_TEST(what_is_no_text_never_reaches_the_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
