/* chat/talks: who reads, as the SQL functions are told it, and what they answer. */
#include "stub_db.h"

#include "chat/talks.h"

#define HASH_OF(letter) letter letter letter letter letter letter letter letter
#define HASH(letter) HASH_OF(letter letter letter letter)

static const struct config config = { .database_ms = 2000 };

static enum status ask(const struct talks_reader *reader, const char *outcome, const char *body,
		       struct talks_read *read)
{
	const struct stub_row rows[] = { { { outcome, body, "10", "9", "1700000000", "3" } } };
	const struct stub_answer answers[] = { { .rows = rows, .count = 1 } };
	struct db db = { false };
	struct wait wait;
	enum status status;

	wait_init(&wait);
	stub_db_script(answers, 1);
	journal_clear();
	status = talks_messages(&db, &wait, &config, reader, STR("c-1"), STR("7"), read);
	assert_false(wait.undisturbed);
	return status;
}

static struct talks_reader reader_of(enum key_kind kind)
{
	struct talks_reader reader = { .key = { .kind = kind, .workspace = 5 } };

	memset(reader.key.hash, 'h', KEY_HASH_SIZE);
	memset(reader.visitor.token, 't', KEY_HASH_SIZE);
	memset(reader.visitor.signature, 's', KEY_HASH_SIZE);
	return reader;
}

static void it_says_who_reads(void **state)
{
	struct talks_reader reader = reader_of(KEY_SITE);
	struct talks_read read;

	(void)state;
	reader.visitor.origin = STR("https://a");
	assert_int_equal(ask(&reader, "found", "{}", &read), STATUS_OK);
	assert_int_equal(read.outcome, TALKS_FOUND);
	assert_str(read.body, "{}");
	assert_int_equal(read.limit, 10);
	assert_int_equal(read.remaining, 9);
	assert_int_equal(read.reset, 1700000000);
	assert_int_equal(read.retry_s, 3);
	assert_int_equal(journal_count("messages_read(5, '" HASH(
				 "h") "', 'site', null, null,"
				      " 'https://a', '" HASH("t") "', null, 0, '" HASH(
					      "s") "', 'c-1', '7', 20)"),
			 1);
	talks_read_clear(&read);

	/* A token that was made for this request is nobody's yet; a widget key has none. */
	reader.visitor.minted = true;
	assert_int_equal(ask(&reader, "visitor_unknown", NULL, &read), STATUS_OK);
	assert_int_equal(read.outcome, TALKS_NO_VISITOR);
	assert_int_equal(journal_count("'https://a', null, null, 0, "), 1);
	talks_read_clear(&read);
	reader = reader_of(KEY_WIDGET);
	reader.session = STR("s-1");
	assert_int_equal(ask(&reader, "conversation_not_found", NULL, &read), STATUS_OK);
	assert_int_equal(read.outcome, TALKS_NOT_FOUND);
	assert_int_equal(journal_count("'widget', null, 's-1', null, null, null, 0, "), 1);
	talks_read_clear(&read);
	reader = reader_of(KEY_WORKSPACE);
	reader.chatbot = STR("bot");
	assert_int_equal(ask(&reader, "limited", NULL, &read), STATUS_OK);
	assert_int_equal(read.outcome, TALKS_LIMITED);
	assert_int_equal(journal_count("'workspace', 'bot', null, null, null, null, 0, "), 1);
	talks_read_clear(&read);
	assert_int_equal(stub_db.rows_alive, 0);
}

static void feedback_is_told_whole_or_not_at_all(void **state)
{
	static const struct stub_row rows[] = { { { "found" } } };
	static const struct stub_answer answers[] = { { .rows = rows, .count = 1 } };
	struct talks_opinion feedback = { STR("m-1"), STR("up"), STR("so"), false };
	struct talks_reader reader = reader_of(KEY_WIDGET);
	struct db db = { false };
	struct talks_read read;
	struct wait wait;

	(void)state;
	wait_init(&wait);
	stub_db_script(answers, 1);
	journal_clear();
	assert_int_equal(talks_feedback(&db, &wait, &config, &reader, STR("c-1"), &feedback, &read),
			 STATUS_OK);
	assert_int_equal(read.outcome, TALKS_FOUND);
	assert_null(read.body.p);
	assert_int_equal(read.limit, -1);
	assert_int_equal(journal_count("'c-1', 'm-1', 'up', 'so', t, "), 1);
	talks_read_clear(&read);
	feedback.bad = true;
	assert_int_equal(talks_feedback(&db, &wait, &config, &reader, STR("c-1"), &feedback, &read),
			 STATUS_OK);
	assert_int_equal(journal_count("'c-1', 'm-1', null, null, f, "), 1);
	talks_read_clear(&read);
	assert_int_equal(stub_db.rows_alive, 0);
}

static void another_answer_is_a_fault(void **state)
{
	struct talks_reader reader = reader_of(KEY_SITE);
	struct talks_read read;

	(void)state;
	assert_int_equal(ask(&reader, "maybe", NULL, &read), STATUS_FAILED);
	assert_int_equal(stub_db.rows_alive, 0);
}

/* What was stopped is asked after by what the first answer named; the window is the first one's. */
static void a_stop_is_followed(void **state)
{
	const struct stub_row rows[] = {
		{ { "found", "{}", "5", "4", "9", NULL, "t", "{x}" } },
		{ { "found", "{1}", NULL, NULL, NULL, NULL, "f", "{x}" } },
	};
	const struct stub_answer answers[] = { { .rows = &rows[0], .count = 1 },
					       { .rows = &rows[1], .count = 1 },
					       { .status = STATUS_UNAVAILABLE } };
	struct talks_reader reader = reader_of(KEY_WORKSPACE);
	struct talks_read read;
	struct db db = { false };
	struct wait wait;

	(void)state;
	wait_init(&wait);
	stub_db_script(answers, COUNT(answers));
	journal_clear();
	assert_int_equal(
		talks_stop(&db, &wait, &config, &reader, STR("c-1"), STR_NONE, true, &read),
		STATUS_OK);
	assert_true(read.running);
	assert_int_equal(journal_count("0, '" HASH("s") "', 'c-1', null, t, left) "), 1);
	assert_int_equal(talks_stopped(&db, &wait, &config, &reader, &read), STATUS_OK);
	assert_int_equal(journal_count("talk_stopped(5, {x}, left) "), 1);
	assert_false(read.running);
	assert_str(read.body, "{1}");
	assert_int_equal(read.limit, 5);
	assert_int_equal(read.remaining, 4);
	assert_int_equal(read.reset, 9);
	assert_int_equal(talks_stopped(&db, &wait, &config, &reader, &read), STATUS_UNAVAILABLE);
	assert_int_equal(stub_db.rows_alive, 0);
	talks_read_clear(&read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_who_reads),
		cmocka_unit_test(feedback_is_told_whole_or_not_at_all),
		cmocka_unit_test(another_answer_is_a_fault),
		cmocka_unit_test(a_stop_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
