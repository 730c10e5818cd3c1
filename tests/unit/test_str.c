/* base/str.h: borrowed strings, taken apart and compared. */
#include "base/str.h"

#include "unit.h"

static void trimming(void **state)
{
	static const struct {
		struct str text, set, trimmed;
	} rows[] = {
		{ STR(" \ta b\r\n"), STR_SPACE, STR("a b") },
		{ STR(" \n "), STR_SPACE, STR("") },
		{ STR(""), STR_SPACE, STR("") },
		{ STR_NONE, STR_SPACE, STR("") },
		{ STR("\0a"), STR_SPACE, STR("\0a") },
		{ STR(" a\n"), STR(" "), STR("a\n") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_true(str_equal(str_trim(rows[i].text, rows[i].set), rows[i].trimmed));
}

static void only_some_characters(void **state)
{
	(void)state;
	assert_true(str_only(STR("aZ09._-"), STR("._-")));
	assert_true(str_only(STR(""), STR("")));
	assert_false(str_only(STR("a:"), STR("._-")));
	assert_false(str_only(STR("a\0"), STR("._-")));
	assert_false(str_only(STR("\xc3\xa4"), STR("._-")));
}

static void the_same_but_for_case(void **state)
{
	(void)state;
	assert_true(str_same(STR("Content-TYPE"), STR("content-type")));
	assert_true(str_same(STR(""), STR_NONE));
	assert_false(str_same(STR("a"), STR("ab")));
	assert_false(str_same(STR("@["), STR("`{")));
	assert_false(str_same(STR("\xc4"), STR("\xe4")));
}

static void holding(void **state)
{
	(void)state;
	assert_true(str_holds(STR("x NGINX/1.22"), STR("nginx")));
	assert_true(str_holds(STR("nginx"), STR("NGINX")));
	assert_false(str_holds(STR("ngin"), STR("nginx")));
	assert_false(str_holds(STR_NONE, STR("nginx")));
}

static void numbers(void **state)
{
	static const struct {
		struct str text;
		unsigned base;
		int64_t number; /* -1: none */
	} rows[] = {
		{ STR("0"), 10, 0 },
		{ STR("00080"), 10, 80 },
		{ STR("9223372036854775807"), 10, INT64_MAX },
		{ STR("9223372036854775808"), 10, -1 },
		{ STR("99999999999999999999"), 10, -1 },
		{ STR("0660"), 8, 0660 },
		{ STR("0668"), 8, -1 },
		{ STR(""), 10, -1 },
		{ STR_NONE, 10, -1 },
		{ STR("-1"), 10, -1 },
		{ STR("+1"), 10, -1 },
		{ STR(" 1"), 10, -1 },
		{ STR("1\0"), 10, -1 },
		{ STR("1a"), 10, -1 },
	};
	int64_t number;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		number = -1;
		assert_int_equal(str_number(rows[i].text, rows[i].base, &number),
				 rows[i].number >= 0);
		assert_int_equal(number, rows[i].number);
	}
}

static void cutting(void **state)
{
	struct str rest = STR("a,,b");

	(void)state;
	assert_true(str_equal(str_cut(&rest, STR(",")), STR("a")));
	assert_true(str_equal(str_cut(&rest, STR(",")), STR("")));
	assert_true(str_equal(str_cut(&rest, STR(",")), STR("b")));
	assert_int_equal(rest.n, 0);
}

/* Every item of "a,,b", from both ends; an empty list has one item, an absent one none. */
static void listing(void **state)
{
	static const char *const items[] = { "a", "", "b" };
	struct str list = STR("a,,b"), item = STR_NONE;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_true(str_next(&list, ',', &item));
		assert_true(str_equal(item, str_from(items[i])));
	}
	assert_false(str_next(&list, ',', &item));
	list = STR("a,,b");
	for (i = 3; i--;) {
		assert_true(str_last(&list, ',', &item));
		assert_true(str_equal(item, str_from(items[i])));
	}
	assert_false(str_last(&list, ',', &item));
	list = STR("");
	assert_true(str_next(&list, ',', &item) && !item.n);
	assert_false(str_next(&list, ',', &item));
	list = STR("x,");
	assert_true(str_last(&list, ',', &item) && !item.n);
	assert_true(str_last(&list, ',', &item) && item.n == 1);
	list = STR_NONE;
	assert_false(str_next(&list, ',', &item) || str_last(&list, ',', &item));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trimming),
		cmocka_unit_test(only_some_characters),
		cmocka_unit_test(the_same_but_for_case),
		cmocka_unit_test(holding),
		cmocka_unit_test(numbers),
		cmocka_unit_test(cutting),
		cmocka_unit_test(listing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
