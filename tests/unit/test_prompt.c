/* chat/prompt: which messages, in which order, and what gives way; the store and the model are stubs. */
#include "stub_journal.h"

#include "chat/prompt.h"

#define PLENTY                                                                                     \
	{                                                                                          \
		1000, 1000000                                                                      \
	}

static struct {
	const struct str *texts; /* question, answer, question, … */
	int count;
} history;

int store_history_count(const struct store_begun *begun)
{
	(void)begun;
	return history.count;
}

void store_history(const struct store_begun *begun, int index, bool *assistant, struct str *text)
{
	(void)begun;
	assert_in_range(index, 0, history.count - 1);
	*assistant = index % 2;
	*text = history.texts[index];
}

/* One in two is missing: what failed has a place, too. */
int64_t store_history_position(const struct store_begun *begun, int index)
{
	(void)begun;
	assert_in_range(index, 0, history.count - 1);
	return 10 + index / 2 * 2;
}

void model_message(struct model *model, enum model_role role, struct str text)
{
	(void)model;
	note("%c(%.*s) ", "SUA"[role], STR_ARGS(text));
}

static const struct str exchanges[] = { STR("a1"), STR("a2"), STR("b1"), STR("b2"),
					STR("c1"), STR("c2"), STR("d1"), STR("d2") };

static struct store_begun begun = { .system_prompt = STR("Be kind."), .position = 99 };

static struct prompt make(int count, struct prompt_budget budget)
{
	history.texts = exchanges;
	history.count = count;
	return (struct prompt){ .begun = &begun, .message = STR("new"), .budget = budget };
}

static const char *put(const struct prompt *prompt)
{
	journal_clear();
	prompt_put(prompt, NULL);
	return journal.text;
}

static void the_parts_come_in_their_order(void **state)
{
	struct prompt prompt = make(4, (struct prompt_budget)PLENTY);

	(void)state;
	assert_string_equal(put(&prompt), "S(Be kind.) U(a1) A(a2) U(b1) A(b2) U(new) ");
	/* Made again, it is the same: a budget is not used up by it. */
	assert_string_equal(put(&prompt), "S(Be kind.) U(a1) A(a2) U(b1) A(b2) U(new) ");
}

static void a_part_without_anything_is_left_out(void **state)
{
	static const struct str none[] = { STR_NONE, { "", 0 } };
	struct prompt prompt = make(0, (struct prompt_budget)PLENTY);
	size_t i;

	(void)state;
	assert_string_equal(put(&prompt), "S(Be kind.) U(new) ");
	for (i = 0; i < COUNT(none); i++) {
		struct store_begun bare = { .system_prompt = none[i] };

		prompt.begun = &bare;
		assert_string_equal(put(&prompt), "U(new) ");
	}
}

/* The newest whole exchanges that fit; the system prompt and the message do not count. */
static void the_history_keeps_to_the_budget(void **state)
{
	static const struct {
		struct prompt_budget budget;
		const char *text;
	} cases[] = {
		{ { 8, 16 },
		  "S(Be kind.) U(a1) A(a2) U(b1) A(b2) U(c1) A(c2) U(d1) A(d2) U(new) " },
		{ { 7, 16 }, "S(Be kind.) U(b1) A(b2) U(c1) A(c2) U(d1) A(d2) U(new) " },
		{ { 8, 15 }, "S(Be kind.) U(b1) A(b2) U(c1) A(c2) U(d1) A(d2) U(new) " },
		{ { 4, 1000 }, "S(Be kind.) U(c1) A(c2) U(d1) A(d2) U(new) " },
		{ { 3, 1000 }, "S(Be kind.) U(d1) A(d2) U(new) " },
		{ { 1000, 4 }, "S(Be kind.) U(d1) A(d2) U(new) " },
		{ { 1000, 3 }, "S(Be kind.) U(new) " },
		{ { 1, 1000 }, "S(Be kind.) U(new) " },
		{ { 0, 0 }, "S(Be kind.) U(new) " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct prompt prompt = make(8, cases[i].budget);

		assert_string_equal(put(&prompt), cases[i].text);
	}
}

static void characters_are_code_points(void **state)
{
	static const struct str texts[] = { STR("\xf0\x9f\x98\x80\xf0\x9f\x98\x80"),
					    STR("\xc3\xa9"), STR("u"), STR("\xe2\x82\xac") };
	struct prompt prompt = make(4, (struct prompt_budget){ 4, 5 });

	(void)state;
	history.texts = texts;
	assert_string_equal(put(&prompt), "S(Be kind.) U(\xf0\x9f\x98\x80\xf0\x9f\x98\x80) "
					  "A(\xc3\xa9) U(u) A(\xe2\x82\xac) U(new) ");
	prompt.budget.chars = 4;
	assert_string_equal(put(&prompt), "S(Be kind.) U(u) A(\xe2\x82\xac) U(new) ");
	/* The first that does not fit ends it, whatever is behind. */
	prompt.budget.chars = 1;
	assert_string_equal(put(&prompt), "S(Be kind.) U(new) ");
}

static void half_of_it_is_the_newer_half(void **state)
{
	static const struct {
		int count;
		const char *text;
	} cases[] = {
		{ 8, "S(Be kind.) U(c1) A(c2) U(d1) A(d2) U(new) " },
		{ 6, "S(Be kind.) U(c1) A(c2) U(new) " },
		{ 4, "S(Be kind.) U(b1) A(b2) U(new) " },
		{ 2, "S(Be kind.) U(new) " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct prompt prompt = make(cases[i].count, (struct prompt_budget)PLENTY);

		assert_true(prompt_halve(&prompt));
		assert_string_equal(put(&prompt), cases[i].text);
	}
}

/* What the next exchange's history is to begin with. */
static void where_a_halved_one_begins(void **state)
{
	struct prompt prompt = make(8, (struct prompt_budget){ 6, 1000 });

	(void)state;
	/* What does not fit is no halving: that is the database's to cut. */
	assert_int_equal(prompt_from(&prompt), -1);
	assert_true(prompt_halve(&prompt));
	assert_int_equal(prompt_from(&prompt), 16);
	assert_true(prompt_halve(&prompt));
	assert_int_equal(prompt_from(&prompt), 99);
	assert_false(prompt_halve(&prompt));
	assert_int_equal(prompt_from(&prompt), 99);
	prompt = make(0, (struct prompt_budget)PLENTY);
	assert_false(prompt_halve(&prompt));
	assert_int_equal(prompt_from(&prompt), -1);
}

/* Of what it held, not of what the database gave; and until nothing is left. */
static void it_is_halved_until_nothing_is_left(void **state)
{
	struct prompt prompt = make(8, (struct prompt_budget){ 6, 1000 });

	(void)state;
	assert_true(prompt_halve(&prompt));
	assert_string_equal(put(&prompt), "S(Be kind.) U(d1) A(d2) U(new) ");
	assert_true(prompt_halve(&prompt));
	assert_string_equal(put(&prompt), "S(Be kind.) U(new) ");
	assert_false(prompt_halve(&prompt));
	assert_string_equal(put(&prompt), "S(Be kind.) U(new) ");
	prompt = make(0, (struct prompt_budget)PLENTY);
	assert_false(prompt_halve(&prompt));
	assert_string_equal(put(&prompt), "S(Be kind.) U(new) ");
}

/* A strict server refuses a request with a blank message: it and its partner are left out. */
static void blank_turns_are_left_out_with_their_partners(void **state)
{
	static const struct str texts[] = { STR("a1"),
					    STR("\n\n\n"),
					    STR(" \t\xc2\xa0"),
					    STR("b2"),
					    STR("c1"),
					    STR("c2"),
					    STR(""),
					    STR("\xe2\x80\x8b\xef\xbb\xbf"),
					    STR("e1"),
					    STR("e2") };
	struct store_begun blank = { .system_prompt = STR(" \n") };
	struct prompt prompt = make(10, (struct prompt_budget)PLENTY);

	(void)state;
	history.texts = texts;
	assert_string_equal(put(&prompt), "S(Be kind.) U(c1) A(c2) U(e1) A(e2) U(new) ");
	/* They take no share of the budget. */
	prompt.budget = (struct prompt_budget){ 4, 8 };
	assert_string_equal(put(&prompt), "S(Be kind.) U(c1) A(c2) U(e1) A(e2) U(new) ");
	prompt.budget = (struct prompt_budget){ 3, 8 };
	assert_string_equal(put(&prompt), "S(Be kind.) U(e1) A(e2) U(new) ");
	/* Half of it is half of what was told. */
	prompt.budget = (struct prompt_budget)PLENTY;
	assert_true(prompt_halve(&prompt));
	assert_string_equal(put(&prompt), "S(Be kind.) U(e1) A(e2) U(new) ");
	assert_true(prompt_halve(&prompt));
	assert_false(prompt_halve(&prompt));
	/* The new message goes in whatever it is. */
	prompt.begun = &blank;
	prompt.message = STR(" ");
	assert_string_equal(put(&prompt), "U( ) ");
}

/* A client that keeps the history itself: message by message, in whatever order it has them. */
static void a_clients_own_history_goes_in_its_place(void **state)
{
	static const struct prompt_message said[] = {
		{ false, STR("q1") }, { false, STR("q2") }, { true, STR("a2") },
		{ true, STR(" ") },   { false, STR("q3") }, { true, STR("a3") },
	};
	struct prompt prompt = make(4, (struct prompt_budget)PLENTY);
	int64_t chars;

	(void)state;
	prompt.said = said;
	prompt.said_count = COUNT(said);
	assert_string_equal(put(&prompt), "S(Be kind.) U(q1) U(q2) A(a2) U(q3) A(a3) U(new) ");
	assert_int_equal(prompt_history(&prompt, &chars), 5);
	assert_int_equal(chars, 10);
	/* One that is cut begins with a question. */
	prompt.budget.messages = 3;
	assert_string_equal(put(&prompt), "S(Be kind.) U(q3) A(a3) U(new) ");
	assert_int_equal(prompt_history(&prompt, &chars), 2);
	prompt.budget = (struct prompt_budget){ 100, 5 };
	assert_string_equal(put(&prompt), "S(Be kind.) U(q3) A(a3) U(new) ");
	prompt.budget = (struct prompt_budget)PLENTY;
	assert_true(prompt_halve(&prompt));
	assert_string_equal(put(&prompt), "S(Be kind.) U(q3) A(a3) U(new) ");
	assert_true(prompt_halve(&prompt));
	assert_string_equal(put(&prompt), "S(Be kind.) U(new) ");
	assert_false(prompt_halve(&prompt));
	assert_int_equal(prompt_from(&prompt), -1);
	prompt.said_count = 0;
	prompt.budget = (struct prompt_budget)PLENTY;
	assert_string_equal(put(&prompt), "S(Be kind.) U(new) ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parts_come_in_their_order),
		cmocka_unit_test(a_part_without_anything_is_left_out),
		cmocka_unit_test(the_history_keeps_to_the_budget),
		cmocka_unit_test(characters_are_code_points),
		cmocka_unit_test(half_of_it_is_the_newer_half),
		cmocka_unit_test(where_a_halved_one_begins),
		cmocka_unit_test(it_is_halved_until_nothing_is_left),
		cmocka_unit_test(a_clients_own_history_goes_in_its_place),
		cmocka_unit_test(blank_turns_are_left_out_with_their_partners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
