/* chat/store: the values it passes, and what it makes of the rows; the database is a stub. */
#include "stub_db.h"

#include "chat/store.h"

#define HASH_OF(letter) letter letter letter letter letter letter letter letter
#define HASH(letter) HASH_OF(letter letter letter letter)

static const struct config config = {
	.database_url = "the-url",
	.database_password = "the-password",
	.database_connect_ms = 5000,
	.database_ms = 4000,
	.lease_ms = 300000,
	.history_messages = 20,
	.history_chars = 24000,
	.workspace_open = 7,
	.key_open = 3,
	.visitor_exchanges = 1000,
	.visitor_credits = 50,
};

static void script(const struct stub_answer *answers, int count)
{
	stub_db_script(answers, count);
	journal_clear();
}

static void fill_begin(struct store_exchange *begin)
{
	*begin = (struct store_exchange){
		.key = { .kind = KEY_WIDGET, .workspace = -42 },
		.session = STR("s-1"),
		.message = STR("hi"),
		.stream = -1,
		.request_id = STR("r-1"),
		.exchange = "the-exchange",
		.answer = "the-answer",
		.new_conversation = "the-conversation",
	};
	memset(begin->key.hash, 'h', KEY_HASH_SIZE);
	memset(begin->body_hash, 'b', KEY_HASH_SIZE);
}

static enum status begin_with(const struct stub_answer *answers, int count,
			      const struct store_exchange *begin, struct store_begun *out)
{
	struct db db = { false };
	struct wait wait;
	enum status status;

	wait_init(&wait);
	script(answers, count);
	status = store_begin(&db, &wait, &config, begin, out);
	assert_false(wait.undisturbed);
	assert_false(stub_db.disturbed);
	assert_int_equal(stub_db.deadline, stub_time.now + config.database_ms);
	return status;
}

static void begin_passes_its_values_in_order(void **state)
{
	static const struct stub_row rows[] = { { { "started" } } };
	static const struct stub_answer answers[] = { { .rows = rows, .count = 1 } };
	struct store_begun begun;
	struct store_exchange begin;

	(void)state;
	fill_begin(&begin);
	assert_int_equal(begin_with(answers, 1, &begin, &begun), STATUS_OK);
	assert_string_equal(
		journal.text,
		"exchange_begin(-42, '" HASH(
			"h") "', 'widget', null, 'the-exchange', "
			     "'the-answer', null, 'the-conversation', 's-1', 'hi', null, null, "
			     "null, null, 300, 20, 24000, 'r-1', 7, 3, left, until) ");
	store_begun_clear(&begun);

	begin.key.kind = KEY_WORKSPACE;
	begin.chatbot = STR("bot");
	begin.conversation = STR("c-1");
	begin.session = STR_NONE;
	begin.message = STR("");
	begin.metadata = STR("{}");
	begin.stream = 1;
	begin.idempotency_key = STR("once");
	assert_int_equal(begin_with(answers, 1, &begin, &begun), STATUS_OK);
	assert_string_equal(
		journal.text,
		"exchange_begin(-42, '" HASH(
			"h") "', 'workspace', 'bot', 'the-exchange', "
			     "'the-answer', 'c-1', 'the-conversation', null, '', '{}', t, "
			     "'once', '" HASH("b") "', 300, 20, 24000, 'r-1', 7, 3, left, until) ");
	store_begun_clear(&begun);
	begin.stream = 0;
	begin.message = STR_NONE;
	assert_int_equal(begin_with(answers, 1, &begin, &begun), STATUS_OK);
	assert_int_equal(journal_count("null, null, '{}', f, 'once'"), 1);
	store_begun_clear(&begun);
	assert_int_equal(stub_db.rows_alive, 0);
}

/* What is asked with a site key has a function of its own. */
static void a_visitors_begins_with_who_they_are(void **state)
{
	static const struct stub_row rows[] = { { { "visitor_unknown" } } };
	static const struct stub_answer answers[] = { { .rows = rows, .count = 1 } };
	struct store_exchange begin;
	struct store_begun begun;

	(void)state;
	fill_begin(&begin);
	begin.key.kind = KEY_SITE;
	begin.visitor = (struct store_visitor){ .origin = STR("https://a"),
						.minted = true,
						.id = "the-visitor" };
	memset(begin.visitor.token, 't', KEY_HASH_SIZE);
	assert_int_equal(begin_with(answers, 1, &begin, &begun), STATUS_OK);
	assert_int_equal(begun.outcome, STORE_NO_VISITOR);
	assert_int_equal(journal_count("visit_begin(-42, '" HASH("h") "', 'https://a', '" HASH(
				 "t") "', t, null, 0, "),
			 1);
	assert_int_equal(journal_count(", 'the-visitor', 1000, 50, 'the-exchange', 'the-answer',"
				       " 'the-conversation', 's-1', 'hi', null, null, null, 300,"
				       " 20, 24000, 'r-1', 7, 3, left, until) "),
			 1);
	store_begun_clear(&begun);

	begin.visitor.minted = false;
	begin.visitor.tokenless = true;
	begin.visitor.user = STR("anna");
	begin.visitor.expires = 1700000000;
	memset(begin.visitor.signature, 's', KEY_HASH_SIZE);
	assert_int_equal(begin_with(answers, 1, &begin, &begun), STATUS_OK);
	assert_int_equal(journal_count("'https://a', null, f, 'anna', 1700000000, '" HASH(
				 "s") "', 'the-visitor', "),
			 1);
	store_begun_clear(&begun);
}

static void each_outcome_has_its_name(void **state)
{
	static const struct {
		const char *name;
		enum store_outcome outcome;
	} outcomes[] = {
		{ "started", STORE_STARTED },
		{ "replay", STORE_REPLAY },
		{ "bad_request", STORE_BAD_REQUEST },
		{ "unauthorized", STORE_UNAUTHORIZED },
		{ "forbidden", STORE_FORBIDDEN },
		{ "visitor_unknown", STORE_NO_VISITOR },
		{ "key_reused", STORE_KEY_REUSED },
		{ "in_progress", STORE_IN_PROGRESS },
		{ "chatbot_not_found", STORE_CHATBOT_NOT_FOUND },
		{ "full", STORE_FULL },
		{ "limited", STORE_LIMITED },
		{ "visitors_limited", STORE_VISITORS_LIMITED },
		{ "conversation_not_found", STORE_CONVERSATION_NOT_FOUND },
		{ "no_credit", STORE_NO_CREDIT },
	};
	struct store_begun begun;
	struct store_exchange begin;
	size_t i;

	(void)state;
	fill_begin(&begin);
	for (i = 0; i < COUNT(outcomes); i++) {
		const struct stub_row rows[] = { { { outcomes[i].name } } };
		const struct stub_answer answers[] = { { .rows = rows, .count = 1 } };

		assert_int_equal(begin_with(answers, 1, &begin, &begun), STATUS_OK);
		assert_int_equal(begun.outcome, outcomes[i].outcome);
		assert_string_equal(store_outcome_name(begun.outcome), outcomes[i].name);
		store_begun_clear(&begun);
	}
}

static void null_columns_are_absent(void **state)
{
	static const struct stub_row rows[] = { { { "limited" } } };
	static const struct stub_answer answers[] = { { .rows = rows, .count = 1 } };
	struct store_begun begun;
	struct store_exchange begin;

	(void)state;
	fill_begin(&begin);
	assert_int_equal(begin_with(answers, 1, &begin, &begun), STATUS_OK);
	assert_null(begun.conversation.p);
	assert_null(begun.message_id.p);
	assert_int_equal(begun.limit, -1);
	assert_int_equal(begun.remaining, 0);
	assert_int_equal(begun.reset, 0);
	assert_int_equal(begun.retry_s, 0);
	assert_null(begun.model.p);
	assert_null(begun.system_prompt.p);
	assert_null(begun.temperature.p);
	assert_int_equal(begun.max_tokens, 0);
	assert_false(begun.stream);
	assert_null(begun.replayed.p);
	assert_null(begun.servers.p);
	assert_null(begun.reasoning.p);
	assert_int_equal(store_history_count(&begun), 0);
	store_begun_clear(&begun);
	assert_null(begun.rows);
	store_begun_clear(&begun);
}

static void all_columns_and_the_history_are_taken(void **state)
{
	static const struct stub_row rows[] = {
		{ { "started", "c-9", "m-9", "10", "9", "1700000060", "7", "gpt-x", "Be kind.",
		    "0.5", "256", "t", "said before", "a,b", "keep", "9" } },
		{ { "history", [12] = "second", [15] = "5", [16] = "first" } },
		{ { "history", [12] = "", [15] = "8", [16] = "third" } },
	};
	static const struct stub_answer answers[] = { { .rows = rows, .count = 3 } };
	struct store_begun begun;
	struct store_exchange begin;
	struct str text;
	bool assistant;

	(void)state;
	fill_begin(&begin);
	assert_int_equal(begin_with(answers, 1, &begin, &begun), STATUS_OK);
	assert_str(begun.conversation, "c-9");
	assert_str(begun.message_id, "m-9");
	assert_int_equal(begun.limit, 10);
	assert_int_equal(begun.remaining, 9);
	assert_int_equal(begun.reset, 1700000060);
	assert_int_equal(begun.retry_s, 7);
	assert_str(begun.model, "gpt-x");
	assert_str(begun.system_prompt, "Be kind.");
	assert_str(begun.temperature, "0.5");
	assert_int_equal(begun.max_tokens, 256);
	assert_true(begun.stream);
	assert_str(begun.replayed, "said before");
	assert_str(begun.servers, "a,b");
	assert_str(begun.reasoning, "keep");
	assert_int_equal(begun.position, 9);
	assert_int_equal(store_history_count(&begun), 4);
	store_history(&begun, 0, &assistant, &text);
	assert_false(assistant);
	assert_str(text, "first");
	store_history(&begun, 1, &assistant, &text);
	assert_true(assistant);
	assert_str(text, "second");
	store_history(&begun, 2, &assistant, &text);
	assert_false(assistant);
	assert_str(text, "third");
	store_history(&begun, 3, &assistant, &text);
	assert_true(assistant);
	assert_str(text, "");
	assert_int_equal(store_history_position(&begun, 1), 5);
	assert_int_equal(store_history_position(&begun, 2), 8);
	store_begun_clear(&begun);
	assert_int_equal(stub_db.rows_alive, 0);
}

static const enum status failures[] = { STATUS_NOMEM,	    STATUS_TIMEOUT, STATUS_CLOSED,
					STATUS_UNAVAILABLE, STATUS_STOPPED, STATUS_FAILED };

static void a_failed_begin_is_passed_on(void **state)
{
	static const struct stub_row odd[] = { { { "something new" } } };
	static const struct stub_answer strange[] = { { .rows = odd, .count = 1 }, { .count = 0 } };
	struct store_begun begun = { .retry_s = 77 };
	struct store_exchange begin;
	struct db db = { false };
	struct wait wait;
	size_t i;

	(void)state;
	fill_begin(&begin);
	wait_init(&wait);
	for (i = 0; i < COUNT(failures); i++) {
		const struct stub_answer answers[] = { { .status = failures[i] } };

		script(answers, 1);
		assert_int_equal(store_begin(&db, &wait, &config, &begin, &begun), failures[i]);
		assert_false(wait.undisturbed);
		assert_int_equal(begun.retry_s, 77);
	}
	for (i = 0; i < COUNT(strange); i++) {
		assert_int_equal(begin_with(&strange[i], 1, &begin, &begun), STATUS_FAILED);
		assert_int_equal(begun.retry_s, 77);
		assert_int_equal(stub_db.rows_alive, 0);
	}
}

static enum status finish_with(const struct stub_answer *answers, const struct store_ending *finish,
			       enum store_finished *out)
{
	struct db db = { false };
	struct wait wait;

	wait_init(&wait);
	script(answers, 1);
	return store_finish(&db, &wait, finish, stub_time.now + 123, out);
}

static void finish_passes_its_values_in_order(void **state)
{
	static const struct stub_row rows[] = { { { "stored" } } };
	static const struct stub_answer answers[] = { { .rows = rows, .count = 1 } };
	struct store_ending finish = {
		.workspace = 3,
		.exchange = "x",
		.end = STORE_DONE,
		.answer = STR("Hello"),
		.finish_reason = STR("stop"),
		.tokens_in = 0,
		.tokens_out = 12,
		.error = "",
		.first_ms = 0,
		.total_ms = 100,
		.server = STR("b"),
		.requests = 2,
		.tries = STR("a 503"),
		.tokens_cached = 11,
		.history_from = 7,
	};
	enum store_finished finished = STORE_GONE;

	(void)state;
	assert_int_equal(finish_with(answers, &finish, &finished), STATUS_OK);
	assert_int_equal(stub_db.deadline, stub_time.now + 123);
	assert_string_equal(journal.text, "exchange_end(3, 'x', 'done', 'Hello', 'stop', 0, 12, "
					  "null, 0, 100, 'b', 2, 'a 503', 11, 7, left, until) ");
	finish = (struct store_ending){
		.exchange = "x",
		.end = STORE_LEFT,
		.answer = STR(""),
		.finish_reason = STR_NONE,
		.tokens_in = -1,
		.tokens_out = -1,
		.tokens_cached = -1,
		.history_from = -1,
		.error = "the client left",
		.first_ms = -1,
	};
	assert_int_equal(finish_with(answers, &finish, &finished), STATUS_OK);
	assert_string_equal(journal.text,
			    "exchange_end(0, 'x', 'left', '', null, null, null, "
			    "'the client left', null, 0, null, 0, null, null, null, left, until) ");
	finish.end = STORE_FAILED;
	assert_int_equal(finish_with(answers, &finish, &finished), STATUS_OK);
	assert_int_equal(journal_count("'failed'"), 1);
	assert_int_equal(stub_db.rows_alive, 0);
}

static void finish_says_what_became_of_it(void **state)
{
	static const char *const names[] = { "stored", "already", "gone" };
	static const enum store_finished results[] = { STORE_STORED, STORE_ALREADY, STORE_GONE };
	const struct store_ending finish = { .exchange = "x", .error = "" };
	const struct stub_row odd[] = { { { "something new" } } };
	const struct stub_answer strange = { .rows = odd, .count = 1 };
	enum store_finished finished;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		const struct stub_row rows[] = { { { names[i] } } };
		const struct stub_answer answer = { .rows = rows, .count = 1 };

		assert_int_equal(finish_with(&answer, &finish, &finished), STATUS_OK);
		assert_int_equal(finished, results[i]);
	}
	for (i = 0; i < COUNT(failures); i++) {
		const struct stub_answer answer = { .status = failures[i] };

		assert_int_equal(finish_with(&answer, &finish, &finished), failures[i]);
	}
	assert_int_equal(finish_with(&strange, &finish, &finished), STATUS_FAILED);
	assert_int_equal(stub_db.rows_alive, 0);
}

static void renewal_is_one_statement(void **state)
{
	struct db_query query;

	(void)state;
	script(NULL, 0);
	store_renew(&query, INT64_MIN, "x", 300000, 4000);
	stub_db_note(&query);
	assert_string_equal(journal.text, "lease_renew(-9223372036854775808, 'x', 300, 3200) ");
	journal_clear();
	store_renew(&query, 1, "x", 300000, 1);
	stub_db_note(&query);
	assert_string_equal(journal.text, "lease_renew(1, 'x', 300, 1) ");
}

static void health_is_one_call(void **state)
{
	static const struct stub_row well = { { "t" } };
	struct db db = { false };
	struct wait wait;
	size_t i;

	(void)state;
	wait_init(&wait);
	for (i = 0; i <= COUNT(failures); i++) {
		const struct stub_answer answer = { .status = i ? failures[i - 1] : STATUS_OK,
						    .rows = &well,
						    .count = 1 };

		script(&answer, 1);
		stub_db.deadline = 0;
		assert_int_equal(store_health(&db, &wait, &config), answer.status);
		assert_string_equal(journal.text, "health ");
		assert_true(stub_db.deadline >= STUB_TIME_START + config.database_ms);
	}
}

static void a_read_only_database_is_not_well(void **state)
{
	static const struct stub_row read_only = { { "f" } };
	static const struct stub_answer answer = { .rows = &read_only, .count = 1 };
	struct db db = { false };
	struct wait wait;

	(void)state;
	wait_init(&wait);
	script(&answer, 1);
	assert_int_equal(store_health(&db, &wait, &config), STATUS_REFUSED);
	assert_int_equal(stub_db.rows_alive, 0);
}

/* A router's answer where it has tried them all. */
static void a_database_of_which_no_part_answers_is_away(void **state)
{
	static const struct stub_row none = { { NULL } };
	static const struct stub_answer answer = { .rows = &none, .count = 1 };
	struct db db = { false };
	struct wait wait;

	(void)state;
	wait_init(&wait);
	script(&answer, 1);
	assert_int_equal(store_health(&db, &wait, &config), STATUS_UNAVAILABLE);
	assert_int_equal(stub_db.rows_alive, 0);
}

static void the_schema_is_looked_up_before_its_version(void **state)
{
	static const struct stub_row there[] = { { { "t" } } }, absent[] = { { { "f" } } };
	static const struct stub_row seven[] = { { { "7" } } };
	static const struct stub_answer migrated[] = { { .rows = there, .count = 1 },
						       { .rows = seven, .count = 1 } };
	static const struct stub_answer bare[] = { { .rows = absent, .count = 1 } };
	static const struct stub_answer lost[] = { { .rows = there, .count = 1 },
						   { .status = STATUS_UNAVAILABLE } };
	static const struct stub_answer away[] = { { .status = STATUS_UNAVAILABLE } };
	struct db db = { false };
	int version = 77;

	(void)state;
	script(migrated, 2);
	assert_int_equal(store_version(&db, &config, &version), STATUS_OK);
	assert_int_equal(version, 7);
	assert_string_equal(journal.text, "schema_version schema_version ");
	script(bare, 1);
	assert_int_equal(store_version(&db, &config, &version), STATUS_OK);
	assert_int_equal(version, 0);
	assert_int_equal(journal_count("schema_version"), 1);
	script(lost, 2);
	assert_int_equal(store_version(&db, &config, &version), STATUS_UNAVAILABLE);
	script(away, 1);
	assert_int_equal(store_version(&db, &config, &version), STATUS_UNAVAILABLE);
	assert_int_equal(stub_db.rows_alive, 0);
}

static void the_room_is_the_servers_own(void **state)
{
	static const struct stub_row own[] = { { { "4711", "97" } } };
	static const struct stub_row other[] = { { { "4712", "97" } } };
	static const struct stub_answer direct[] = { { .rows = own, .count = 1 } };
	static const struct stub_answer pooled[] = { { .rows = other, .count = 1 } };
	static const struct stub_answer away[] = { { .status = STATUS_UNAVAILABLE } };
	struct db db = { false };

	(void)state;
	script(direct, 1);
	assert_int_equal(store_room(&db, &config), 97);
	/* Another's process: what PostgreSQL lets in is no limit of ours then. */
	script(pooled, 1);
	assert_int_equal(store_room(&db, &config), -1);
	script(away, 1);
	assert_int_equal(store_room(&db, &config), -1);
	assert_int_equal(stub_db.rows_alive, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begin_passes_its_values_in_order),
		cmocka_unit_test(a_visitors_begins_with_who_they_are),
		cmocka_unit_test(each_outcome_has_its_name),
		cmocka_unit_test(null_columns_are_absent),
		cmocka_unit_test(all_columns_and_the_history_are_taken),
		cmocka_unit_test(a_failed_begin_is_passed_on),
		cmocka_unit_test(finish_passes_its_values_in_order),
		cmocka_unit_test(finish_says_what_became_of_it),
		cmocka_unit_test(renewal_is_one_statement),
		cmocka_unit_test(health_is_one_call),
		cmocka_unit_test(a_read_only_database_is_not_well),
		cmocka_unit_test(a_database_of_which_no_part_answers_is_away),
		cmocka_unit_test(the_schema_is_looked_up_before_its_version),
		cmocka_unit_test(the_room_is_the_servers_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
