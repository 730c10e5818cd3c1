/* wire/json_span: a member's bytes, as they were sent. */
#include "unit_json.h"

#include "wire/json_span.h"

static void members_keep_their_text(void **state)
{
	static const char text[] =
		" { \"x\" : [1,{\"m\":\"inner\"}], \"m\" : 1 , \"meta\\u0064ata\":\"old\",\n"
		"\"metadata\" :\t{ \"n\" : 1e999999, \"d\":1,\"d\":1.0, \"s\":\"}\\\"]\\u0041\" } ,"
		"\"num\":-12345678901234567890.50,\"n\":null,\"s\":\"\\\\\",\"e\\\\\\n\":[],"
		"\"\xf0\x9f\x98\x80\":true,\"m\":false}";
	static const struct {
		const char *name;
		struct str text; /* STR_NONE: refused */
	} cases[] = {
		{ "x", STR("[1,{\"m\":\"inner\"}]") },
		{ "m", STR("false") },
		{ "metadata",
		  STR("{ \"n\" : 1e999999, \"d\":1,\"d\":1.0, \"s\":\"}\\\"]\\u0041\" }") },
		{ "num", STR("-12345678901234567890.50") },
		{ "s", STR("\"\\\\\"") },
		{ "e\\\n", STR("[]") },
		{ "\xf0\x9f\x98\x80", STR("true") },
		{ "n", STR_NONE },
		{ "none", STR_NONE },
		{ "", STR_NONE },
		{ "meta", STR_NONE },
	};
	char copy[sizeof(text)];
	struct json *json;
	struct str out;
	size_t i;

	(void)state;
	/* What was parsed may go: the document has its own. */
	memcpy(copy, text, sizeof(text));
	json = must_parse(str_from(copy), false);
	memset(copy, 'x', sizeof(copy));
	for (i = 0; i < COUNT(cases); i++) {
		out = STR_NONE;
		assert_int_equal(json_member_text(json, cases[i].name, &out),
				 cases[i].text.p ? STATUS_OK : STATUS_INVALID);
		assert_same(out, cases[i].text);
	}
	json_drop_text(json);
	assert_int_equal(json_member_text(json, cases[0].name, &out), STATUS_INVALID);
	json_free(json);
	json = must_parse(STR("{\"\\ud83d\\ude00\\u00e9\\u20ac\":1}"), false);
	assert_int_equal(json_member_text(json, "\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac", &out),
			 STATUS_OK);
	assert_str(out, "1");
	json_free(json);
	json = must_parse(STR("{}"), false);
	assert_int_equal(json_member_text(json, "a", &out), STATUS_INVALID);
	json_free(json);
	json = must_parse(STR("{\"a\":1}"), true);
	assert_int_equal(json_member_text(json, "a", &out), STATUS_INVALID);
	json_free(json);
}

static void the_others_keep_their_text_too(void **state)
{
	static const char *const names[] = { "a", "b" };
	static const struct {
		struct str text, others;
	} cases[] = {
		{ STR(" { } "), STR("") },
		{ STR("{\"a\":1}"), STR("") },
		{ STR("{ \"c\" : [1 , {\"a\":2}] , \"a\":{\"c\":1},\"\\u0062\":3,\"d\":\"\\\"}\" "
		      "}"),
		  STR(",\"c\" : [1 , {\"a\":2}],\"d\":\"\\\"}\"") },
		{ STR("{\"aa\":1e999999,\"\":null,\"aa\":-0}"),
		  STR(",\"aa\":1e999999,\"\":null,\"aa\":-0") },
	};
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 1000);
	for (i = 0; i < COUNT(cases); i++) {
		buf_reset(&out);
		json_span_others(cases[i].text, names, COUNT(names), &out);
		assert_same(buf_view(&out), cases[i].others);
	}
	buf_clear(&out);
}

static void members_are_taken_one_by_one(void **state)
{
	static const char *const none[] = { "" };
	static const struct {
		const char *name, *member;
	} expected[] = {
		{ "a", ",\"a\": 1" },
		{ "b c", ",\"b c\":{\"x\":[1,\"}\"]}" },
		{ "", ",\"\":\"\"" },
		{ "\\u0061", ",\"\\u0061\":null" },
	};
	struct str left, name, member;
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 1000);
	json_span_others(STR("{ \"a\": 1 , \"b c\":{\"x\":[1,\"}\"]},\"\":\"\",\"\\u0061\":null }"),
			 none, 0, &out);
	left = buf_view(&out);
	for (i = 0; i < COUNT(expected); i++) {
		assert_true(json_span_take(&left, &name, &member));
		assert_same(name, str_from(expected[i].name));
		assert_same(member, str_from(expected[i].member));
	}
	assert_int_equal(left.n, 0);
	assert_false(json_span_take(&left, &name, &member));
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_keep_their_text),
		cmocka_unit_test(the_others_keep_their_text_too),
		cmocka_unit_test(members_are_taken_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
