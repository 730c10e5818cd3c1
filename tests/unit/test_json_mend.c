/* wire/json_mend: what json-c would read its own way is read right. */
#include "unit_json.h"

#include "wire/utf8.h"

static void integers_fit_or_are_none(void **state)
{
	static const struct {
		struct str text;
		bool fits;
		int64_t value;
	} cases[] = {
		{ STR("0"), true, 0 },
		{ STR("-0"), true, 0 },
		{ STR("-1"), true, -1 },
		{ STR("9223372036854775807"), true, INT64_MAX },
		{ STR("-9223372036854775808"), true, INT64_MIN },
		{ STR("1000000000000000000"), true, 1000000000000000000 },
		{ STR("9223372036854775808"), false, 0 },
		{ STR("-9223372036854775809"), false, 0 },
		{ STR("18446744073709551616"), false, 0 },
		{ STR("99999999999999999999999999999999999999999999"), false, 0 },
		{ STR("-99999999999999999999999999999999999999999999"), false, 0 },
		{ STR("1.0"), false, 0 },
		{ STR("1e2"), false, 0 },
		{ STR("1e999999"), false, 0 },
		{ STR("9223372036854775808.5"), false, 0 },
		{ STR("9223372036854775808e-1"), false, 0 },
		{ STR("\"1\""), false, 0 },
		{ STR("true"), false, 0 },
	};
	struct json_node node;
	struct json *json;
	struct str text;
	int64_t value;
	size_t i, loose;
	char *own;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		own = wrap(cases[i].text, &text);
		for (loose = 0; loose < 2; loose++) {
			json = must_parse(text, loose);
			node = json_member(json_root(json), "k");
			value = 77;
			assert_int_equal(json_get_integer(node, &value), cases[i].fits);
			assert_true(value == (cases[i].fits ? cases[i].value : 77));
			json_free(json);
		}
		free(own);
	}
}

static void loose_strings_keep_their_bytes(void **state)
{
	static const struct {
		struct str text;
		struct str value;
	} cases[] = {
		{ STR("\"a\\u0000b\""), STR("a\0b") },
		{ STR("\"\\u0000\""), STR("\0") },
		{ STR("\"\xff\xc0\x80\xe2\""), STR("\xff\xc0\x80\xe2") },
		{ STR("\"\\ud83d\""), STR("\xed\xa0\xbd") },
		{ STR("\"\\uDE00\""), STR("\xed\xb8\x80") },
		{ STR("\"\\ud83dx\\ude00\""), STR("\xed\xa0\xbdx\xed\xb8\x80") },
		{ STR("\"\\ud83d\\ud83d\\ude00\""), STR("\xed\xa0\xbd\xf0\x9f\x98\x80") },
		{ STR("\"\\ude00\\ud83d\""), STR("\xed\xb8\x80\xed\xa0\xbd") },
		{ STR("\"\\ud83d\\n\\u0041\\\"\""), STR("\xed\xa0\xbd\nA\"") },
		{ STR("\"\\ud83d\\\\ude00\""), STR("\xed\xa0\xbd\\ude00") },
		{ STR("\"\\\\\\ud83d:\""), STR("\\\xed\xa0\xbd:") },
		{ STR("\"\\ud83d 12345678901234567890\""),
		  STR("\xed\xa0\xbd 12345678901234567890") },
	};
	struct json *json;
	struct str text, value;
	size_t i;
	char *own;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		own = wrap(cases[i].text, &text);
		json = must_parse(text, true);
		assert_true(json_get_string(json_member(json_root(json), "k"), &value));
		assert_same(value, cases[i].value);
		json_free(json);
		free(own);
	}
}

static void a_zero_in_a_name_cuts_nothing(void **state)
{
	struct json *json = must_parse(STR("{\"a\":1,\"a\\u0000b\":2, \"\\u0000\" : 3,"
					   "\"a\\\\u0000\":4,\"v\":\"a\\u0000\"}"),
				       true);
	struct json_node root = json_root(json);
	struct str s;
	int64_t i;

	(void)state;
	assert_true(json_get_integer(json_member(root, "a"), &i));
	assert_int_equal(i, 1);
	assert_int_equal(json_type_of(json_member(root, "")), JSON_ABSENT);
	assert_true(json_get_integer(json_member(root, "a\\u0000"), &i));
	assert_int_equal(i, 4);
	assert_true(json_get_string(json_member(root, "v"), &s));
	assert_str(s, "a\0");
	json_free(json);
}

/* What nobody reads is no damage, and what stands beside it is as it was. */
static void what_json_c_must_not_see_is_absent(void **state)
{
	static const char *const odd[] = {
		"NaN", "-Infinity", "+inf", "nan ", "[]", "{}", "[\"]\",{}]", "{\"a\":[\"\\\"}\"]}"
	};
	char deep[400];
	struct json_node node;
	struct json *json;
	struct buf text;
	int64_t value;
	size_t i, depth;

	(void)state;
	memset(deep, '[', 200);
	memset(deep + 200, ']', 200);
	buf_init(&text, 2000);
	for (i = 0; i < COUNT(odd); i++) {
		/* 63 within the object: deeper arrays and objects are not looked at. */
		depth = i < 4 ? 3 : 63;
		buf_reset(&text);
		buf_printf(&text, "{\"a\":7,\"k\":%.*s%s,1%.*s,\"b\":\"\\\\\",\"c\":8}", (int)depth,
			   deep, odd[i], (int)depth, deep + 200);
		json = must_parse(buf_view(&text), true);
		node = json_member(json_root(json), "k");
		assert_false(json_blank(node));
		while (--depth)
			node = json_element(node, 0);
		assert_int_equal(json_length(node), 2);
		assert_int_equal(json_type_of(json_element(node, 0)), JSON_ABSENT);
		assert_true(json_get_integer(json_element(node, 1), &value) && value == 1);
		assert_true(json_get_integer(json_member(json_root(json), "a"), &value));
		assert_int_equal(value, 7);
		assert_true(json_get_integer(json_member(json_root(json), "c"), &value));
		assert_int_equal(value, 8);
		json_free(json);
	}
	buf_clear(&text);
}

/* The way a character goes that a model server sent in two halves, each in a document of its own. */
static void halves_meet_in_the_joiner(void **state)
{
	struct utf8_joiner joiner;
	struct json *json;
	struct buf out;
	struct str s;
	size_t i;

	(void)state;
	buf_init(&out, 100);
	utf8_joiner_init(&joiner);
	for (i = 0; i < 2; i++) {
		json = must_parse(i ? STR("{\"c\":\"\\ude00!\"}") : STR("{\"c\":\"a\\ud83d\"}"),
				  true);
		assert_true(json_get_string(json_member(json_root(json), "c"), &s));
		utf8_joiner_feed(&joiner, s, &out);
		json_free(json);
	}
	utf8_joiner_end(&joiner, &out);
	assert_str(buf_view(&out), "a\xf0\x9f\x98\x80!");
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_fit_or_are_none),
		cmocka_unit_test(loose_strings_keep_their_bytes),
		cmocka_unit_test(a_zero_in_a_name_cuts_nothing),
		cmocka_unit_test(what_json_c_must_not_see_is_absent),
		cmocka_unit_test(halves_meet_in_the_joiner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
