/* wire/json: what the getters see of a document. */
#include "unit_json.h"

#include "base/utf8.h"

static void root_is_an_object(void **state)
{
	static const struct str others[] = { STR("[]"), STR("1"), STR("\"{\""), STR("null"),
					     STR(" [{}]") };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(others); i++) {
		assert_true(json_valid(others[i]));
		assert_int_equal(parsed(others[i], false), STATUS_INVALID);
		assert_int_equal(parsed(others[i], true), STATUS_INVALID);
	}
	assert_int_equal(parsed(STR(" \r\n\t{} "), false), STATUS_OK);
}

static void getters_are_typed(void **state)
{
	struct json *json = must_parse(
		STR("{\"s\":\"x\",\"t\":true,\"f\":false,\"i\":42,\"d\":1.5,\"n\":null,"
		    "\"a\":[1,\"two\",null,{\"deep\":[[]]}],\"o\":{\"p\":{\"q\":\"r\"}}}"),
		false);
	struct json_node root = json_root(json), node;
	struct str s = STR("untouched");
	int64_t i = -7;
	bool b = true;

	(void)state;
	assert_int_equal(json_type_of(root), JSON_OBJECT);
	assert_int_equal(json_type_of(json_member(root, "s")), JSON_STRING);
	assert_int_equal(json_type_of(json_member(root, "t")), JSON_BOOLEAN);
	assert_int_equal(json_type_of(json_member(root, "i")), JSON_NUMBER);
	assert_int_equal(json_type_of(json_member(root, "d")), JSON_NUMBER);
	assert_int_equal(json_type_of(json_member(root, "n")), JSON_ABSENT);
	assert_int_equal(json_type_of(json_member(root, "none")), JSON_ABSENT);
	assert_int_equal(json_type_of(json_member(root, "a")), JSON_ARRAY);
	assert_int_equal(json_type_of(json_member(root, "o")), JSON_OBJECT);

	assert_false(json_get_string(json_member(root, "i"), &s));
	assert_false(json_get_string(json_member(root, "n"), &s));
	assert_false(json_get_string(json_member(root, "none"), &s));
	assert_str(s, "untouched");
	assert_false(json_get_integer(json_member(root, "d"), &i));
	assert_false(json_get_integer(json_member(root, "s"), &i));
	assert_false(json_get_integer(json_member(root, "t"), &i));
	assert_int_equal(i, -7);
	assert_false(json_get_boolean(json_member(root, "i"), &b));
	assert_false(json_get_boolean(json_member(root, "none"), &b));
	assert_true(b);

	assert_true(json_get_boolean(json_member(root, "f"), &b));
	assert_false(b);
	assert_true(json_get_integer(json_member(root, "i"), &i));
	assert_int_equal(i, 42);
	node = json_member(json_member(json_member(root, "o"), "p"), "q");
	assert_true(json_get_string(node, &s));
	assert_str(s, "r");

	node = json_member(root, "a");
	assert_int_equal(json_length(node), 4);
	assert_true(json_get_string(json_element(node, 1), &s));
	assert_str(s, "two");
	assert_int_equal(json_type_of(json_element(node, 2)), JSON_ABSENT);
	assert_int_equal(json_type_of(json_element(node, 4)), JSON_ABSENT);
	assert_int_equal(json_type_of(json_element(node, SIZE_MAX)), JSON_ABSENT);
	assert_int_equal(json_length(json_member(json_element(node, 3), "deep")), 1);

	/* Getters take absent nodes, and nodes of the wrong type. */
	node = json_member(json_element(json_member(root, "none"), 0), "x");
	assert_int_equal(json_type_of(node), JSON_ABSENT);
	assert_int_equal(json_length(root), 0);
	assert_int_equal(json_type_of(json_element(root, 0)), JSON_ABSENT);
	assert_int_equal(json_type_of(json_member(json_member(root, "a"), "x")), JSON_ABSENT);
	json_free(json);
	json_free(NULL);
}

static void the_last_of_equal_names_counts(void **state)
{
	struct json *json = must_parse(STR("{\"a\":1,\"a\":\"x\",\"b\":1,\"\\u0061\":\"last\","
					   "\"b\":null,\"c\":{\"d\":1,\"d\":2}}"),
				       false);
	struct json_node root = json_root(json);
	struct str s;
	int64_t i;

	(void)state;
	assert_true(json_get_string(json_member(root, "a"), &s));
	assert_str(s, "last");
	assert_int_equal(json_type_of(json_member(root, "b")), JSON_ABSENT);
	assert_true(json_get_integer(json_member(json_member(root, "c"), "d"), &i));
	assert_int_equal(i, 2);
	json_free(json);
}

static void every_surrogate_pair_is_its_character(void **state)
{
	char text[64], want[4];
	struct json *json;
	struct str value;
	uint32_t c;
	size_t loose;

	(void)state;
	for (c = 0x10000; c <= 0x10ffff; c += c % 0x400 == 2 ? 0x3fd : 1) {
		snprintf(text, sizeof(text), "{\"k\":\"\\u%04x\\u%04x\"}",
			 (c - 0x10000) / 0x400 + 0xd800, c % 0x400 + 0xdc00);
		for (loose = 0; loose < 2; loose++) {
			json = must_parse(str_from(text), loose);
			assert_true(json_get_string(json_member(json_root(json), "k"), &value));
			assert_same(value, ((struct str){ want, utf8_encode(c, want) }));
			json_free(json);
		}
	}
}

static void strings_mean_what_they_say(void **state)
{
	static const struct {
		struct str text;
		struct str value;
	} cases[] = {
		{ STR("\"\""), STR("") },
		{ STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR("\"\\/\b\f\n\r\t") },
		{ STR("\"\\u0041\\u00e9\\u20AC\""), STR("A\xc3\xa9\xe2\x82\xac") },
		{ STR("\"\\ud83d\\ude00\\uD83D\\uDE00\""),
		  STR("\xf0\x9f\x98\x80\xf0\x9f\x98\x80") },
		{ STR("\"\xf0\x9f\x98\x80\x7f\xe2\x80\xa8\""),
		  STR("\xf0\x9f\x98\x80\x7f\xe2\x80\xa8") },
		{ STR("\"\\uFFFE\\uFFFF\\ufeff\""), STR("\xef\xbf\xbe\xef\xbf\xbf\xef\xbb\xbf") },
		{ STR("\"\\\\u0041\""), STR("\\u0041") },
	};
	struct json *json;
	struct str text, value;
	size_t i, loose;
	char *own;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		own = wrap(cases[i].text, &text);
		for (loose = 0; loose < 2; loose++) {
			json = must_parse(text, loose);
			assert_true(json_get_string(json_member(json_root(json), "k"), &value));
			assert_same(value, cases[i].value);
			json_free(json);
		}
		free(own);
	}
}

static void a_big_document(void **state)
{
	struct buf text, big;
	struct json *json;
	struct str s;
	int i;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_init(&big, 1 << 20);
	for (i = 0; i < 20000; i++)
		buf_puts(&big, i % 7 ? "ab" : "\xe2\x82\xac");
	buf_puts(&text, "{\"message\":\"");
	buf_str(&text, buf_view(&big));
	buf_puts(&text, "\",\"all\":[");
	for (i = 0; i < 5000; i++)
		buf_printf(&text, "%s[%d,\"x\"]", i ? "," : "", i);
	buf_puts(&text, "]}");
	json = must_parse(buf_view(&text), false);
	assert_true(json_get_string(json_member(json_root(json), "message"), &s));
	assert_same(s, buf_view(&big));
	assert_int_equal(json_length(json_member(json_root(json), "all")), 5000);
	json_free(json);
	buf_clear(&text);
	buf_clear(&big);
}

static void what_says_nothing_is_blank(void **state)
{
	static const struct {
		struct str text;
		bool blank;
	} cases[] = {
		{ STR("{}"), true },
		{ STR("{\"k\":null}"), true },
		{ STR("{\"k\":false}"), true },
		{ STR("{\"k\":0}"), true },
		{ STR("{\"k\":-0.0}"), true },
		{ STR("{\"k\":\"\"}"), true },
		{ STR("{\"k\":[null,[],{}],\"l\":{\"m\":\"\",\"n\":[0,false]}}"), true },
		{ STR("{\"k\":true}"), false },
		{ STR("{\"k\":-1}"), false },
		{ STR("{\"k\":0.5}"), false },
		{ STR("{\"k\":1e999}"), false },
		{ STR("{\"k\":\" \"}"), false },
		{ STR("{\"k\":\"\\u0000\"}"), false },
		{ STR("{\"k\":[null,[],{\"a\":1}]}"), false },
		{ STR("{\"k\":{},\"l\":1}"), false },
	};
	struct json *json;
	size_t i;

	(void)state;
	assert_true(json_blank((struct json_node){ NULL }));
	for (i = 0; i < COUNT(cases); i++) {
		json = must_parse(cases[i].text, true);
		assert_int_equal(json_blank(json_root(json)), cases[i].blank);
		json_free(json);
	}
}

static enum status parse_most(struct str text, unsigned most)
{
	struct json *json = NULL;
	enum status status = json_parse_most(text, most, &json);

	assert_int_equal(json != NULL, status == STATUS_OK);
	json_free(json);
	return status;
}

static void values_are_counted(void **state)
{
	static const struct str eight = STR(" {\"a\":[1,null,\"x\",{}],\"b\":{\"c\":true}} ");

	(void)state;
	assert_int_equal(parse_most(STR("{}"), 1), STATUS_OK);
	assert_int_equal(parse_most(STR("{}"), 0), STATUS_INVALID);
	assert_int_equal(parse_most(eight, 8), STATUS_OK);
	assert_int_equal(parse_most(eight, 7), STATUS_INVALID);
	assert_int_equal(parse_most(STR("{\"a\":[1,2,"), 5), STATUS_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_is_an_object),
		cmocka_unit_test(getters_are_typed),
		cmocka_unit_test(the_last_of_equal_names_counts),
		cmocka_unit_test(every_surrogate_pair_is_its_character),
		cmocka_unit_test(strings_mean_what_they_say),
		cmocka_unit_test(a_big_document),
		cmocka_unit_test(what_says_nothing_is_blank),
		cmocka_unit_test(values_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
