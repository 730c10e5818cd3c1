/* wire/json_valid: what RFC 8259 takes and refuses, and that json-c then takes it too. */
#include "unit_json.h"

#include "wire/json_valid.h"
#include "wire/utf8.h"

#define TEN "[[[[[[[[[["
#define TEN_BACK "]]]]]]]]]]"

static const struct str good[] = {
	STR("{}"),
	STR("[]"),
	STR(" \t\r\n[ \t\r\n] \t\r\n"),
	STR("true"),
	STR("false"),
	STR("null"),
	STR("\"\""),
	STR("\"a\""),
	STR("0"),
	STR("-0"),
	STR("123"),
	STR("-1"),
	STR("0.5"),
	STR("-0.0"),
	STR("1e5"),
	STR("1E5"),
	STR("1e+5"),
	STR("1E-5"),
	STR("0e1"),
	STR("0e+1"),
	STR("1.5e300"),
	STR("1e999999"),
	STR("-1e999999"),
	STR("1e-999999"),
	STR("123456789012345678901234567890"),
	STR("-9223372036854775808"),
	STR("0.1234567890123456789012345678901234567890"),
	STR("[1]"),
	STR("[1,2]"),
	STR("[ 1 , 2 ]"),
	STR("[null,true,false,\"\",0,{},[]]"),
	STR("{\"a\":1}"),
	STR("{ \"a\" : 1 , \"b\" : 2 }"),
	STR("{\"a\":1,\"a\":2}"),
	STR("{\"\":0}"),
	STR("{\"a\":{\"b\":[{\"c\":{}}]}}"),
	STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
	STR("\"\\u0041\\u00e9\\u20AC\\uFFFF\\u0001\""),
	STR("\"\\ud83d\\ude00\""),
	STR("\"\\uD83D\\uDE00\""),
	STR("\"\\ud800\\udc00\\udbff\\udfff\""),
	STR("\"\\\\ud83d\""),
	STR("\"\x7f\""),
	STR("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4"
	    "\x8f\xbf\xbf\""),
	STR("\"\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\""),
	STR("\"// no comment /* none */ # none\""),
	STR("{\"\xe2\x82\xac\\u20ac\":1}"),
	STR("\"12345678901234567890123456789012345678901234567890\\n1234567\xc3\xa9 345678\""),
	STR(TEN TEN TEN "[["
			"]]" TEN_BACK TEN_BACK TEN_BACK),
	STR(TEN TEN TEN "[[0]]" TEN_BACK TEN_BACK TEN_BACK),
	STR(TEN TEN TEN "[{\"a\":0}]" TEN_BACK TEN_BACK TEN_BACK),
};

/* Refused by the grammar, loose or not. */
static const struct str bad[] = {
	STR_NONE,
	STR(""),
	STR(" "),
	STR("\xef\xbb\xbf{}"),
	STR("{} {}"),
	STR("{}x"),
	STR("{}\0"),
	STR("{}]"),
	STR("\0"),
	STR("Na"),
	STR("NaNs"),
	STR("--inf"),
	STR("+"),
	STR("- inf"),
	STR("True"),
	STR("tru"),
	STR("truee"),
	STR("nul"),
	STR("undefined"),
	STR("'a'"),
	STR("{'a':1}"),
	STR("{a:1}"),
	STR("1."),
	STR("[1.]"),
	STR(".5"),
	STR("-.5"),
	STR("+1"),
	STR("-"),
	STR("--1"),
	STR("01"),
	STR("-01"),
	STR("00"),
	STR("1e"),
	STR("1e+"),
	STR("1.e5"),
	STR("1.5.5"),
	STR("0x10"),
	STR("1_000"),
	STR("1 2"),
	STR("1,2"),
	STR("[1,]"),
	STR("[,1]"),
	STR("[,]"),
	STR("[1 2]"),
	STR("[1"),
	STR("[1,"),
	STR("["),
	STR("]"),
	STR("[}"),
	STR("{]"),
	STR("[1}"),
	STR("{\"a\":1]"),
	STR("{"),
	STR("}"),
	STR("{\"a\"}"),
	STR("{\"a\":}"),
	STR("{\"a\":1,}"),
	STR("{,}"),
	STR("{\"a\" 1}"),
	STR("{\"a\"::1}"),
	STR("{\"a\":1 \"b\":2}"),
	STR("{1:1}"),
	STR("{null:1}"),
	STR("[\"a\":1]"),
	STR("{\"a\",1}"),
	STR("\""),
	STR("\"a"),
	STR("\"\\\""),
	STR("\"\\"),
	STR("\"a\nb\""),
	STR("\"a\tb\""),
	STR("\"\r\""),
	STR("\"\0\""),
	STR("\"\x1f\""),
	STR("\"12345678\x01"
	    "2345678\""),
	STR("\"\\a\""),
	STR("\"\\'\""),
	STR("\"\\x41\""),
	STR("\"\\u\""),
	STR("\"\\u12\""),
	STR("\"\\u12g4\""),
	STR("\"\\U0041\""),
	STR("\"\\u 041\""),
	STR("\"\\u-041\""),
	STR("\"\\u004"),
	STR("\"\\ud83d\\\""),
	STR("\"\\ud83d\\u\""),
	STR("\"\\ud83d\\ux\""),
	STR("\"\\\0\""),
	STR("\v1"),
	STR("\f1"),
	STR("\xc2\xa0"
	    "1"),
	STR("// c\n1"),
	STR("/* c */1"),
	STR("[1]/**/"),
	STR("# c\n1"),
	STR("<html>"),
};

/* Bytes and code points that only the loose reading takes. */
static const struct str loose_only[] = {
	STR("NaN"),
	STR("nan"),
	STR("-NaN"),
	STR("Infinity"),
	STR("-Infinity"),
	STR("+Infinity"),
	STR("-inf"),
	STR("[INF, nan,{\"a\":Infinity}]"),
	STR("\"\xc0\x80\""),
	STR("\"\x80\""),
	STR("\"\xff\""),
	STR("\"\xc3\""),
	STR("\"\xe2\x82\""),
	STR("\"\xe0\x9f\xbf\""),
	STR("\"\xed\xa0\x80\""),
	STR("\"\xed\xbf\xbf\""),
	STR("\"\xf4\x90\x80\x80\""),
	STR("\"\xf8\x88\x80\x80\x80\""),
	STR("\"123456789\xe9 \""),
	STR("\"\\u0000\""),
	STR("\"a\\u0000b\""),
	STR("\"\\ud83d\""),
	STR("\"\\ud83dx\""),
	STR("\"\\ud83d\\n\""),
	STR("\"\\ud83d\\u0041\""),
	STR("\"\\ud83d\\ud83d\""),
	STR("\"\\ude00\""),
	STR("\"\\ude00\\ud83d\""),
	STR("\"\\udfff\""),
	STR("\"\\ud83d\\\\ude00\""),
	STR(TEN TEN TEN "[[["
			"]]]" TEN_BACK TEN_BACK TEN_BACK),
	STR(TEN TEN TEN TEN TEN TEN "[[0]]" TEN_BACK TEN_BACK TEN_BACK TEN_BACK TEN_BACK TEN_BACK),
};

static bool valid(struct str text)
{
	char *exact = malloc(text.n ? text.n : 1);
	bool is;

	assert_non_null(exact);
	if (text.n)
		memcpy(exact, text.p, text.n);
	is = json_valid((struct str){ exact, text.n });
	free(exact);
	return is;
}

static void takes_the_good(void **state)
{
	struct str text;
	size_t i;
	char *own;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (!valid(good[i]))
			fail_msg("refused: %.*s", STR_ARGS(good[i]));
		own = wrap(good[i], &text);
		/* One level more: the deepest ones are too deep there. */
		if (json_valid(text))
			assert_int_equal(parsed(text, false), STATUS_OK);
		else
			assert_true(str_starts(good[i], STR(TEN TEN TEN)));
		assert_int_equal(parsed(text, true), STATUS_OK);
		free(own);
	}
}

static void refuses_the_bad(void **state)
{
	struct str text;
	size_t i;
	char *own;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		if (valid(bad[i]))
			fail_msg("taken: %.*s", STR_ARGS(bad[i]));
		assert_int_equal(parsed(bad[i], false), STATUS_INVALID);
		assert_int_equal(parsed(bad[i], true), STATUS_INVALID);
		if (str_equal(bad[i], STR("1,2")))
			continue;
		own = wrap(bad[i], &text);
		if (valid(text))
			fail_msg("taken: %.*s", STR_ARGS(text));
		assert_int_equal(parsed(text, false), STATUS_INVALID);
		assert_int_equal(parsed(text, true), STATUS_INVALID);
		free(own);
	}
}

static void loose_takes_more(void **state)
{
	struct str text;
	size_t i;
	char *own;

	(void)state;
	for (i = 0; i < COUNT(loose_only); i++) {
		if (valid(loose_only[i]))
			fail_msg("taken: %.*s", STR_ARGS(loose_only[i]));
		own = wrap(loose_only[i], &text);
		assert_int_equal(parsed(text, false), STATUS_INVALID);
		if (parsed(text, true) != STATUS_OK)
			fail_msg("refused: %.*s", STR_ARGS(text));
		free(own);
	}
}

/* Every beginning of a good document is bad, and so is one with a byte more. */
static void no_part_is_whole(void **state)
{
	static const struct str whole[] = {
		STR("{\"a\":[1.5e3,\"\\ud83d\\ude00\\n\xc3\xa9\",true,{\"b\":null}],\"c\":-0}"),
		STR("[\"\xf0\x9f\x98\x80\xe2\x82\xac\",[[]],{}]"),
	};
	char more[200];
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(whole); i++) {
		assert_true(valid(whole[i]));
		for (n = 0; n < whole[i].n; n++)
			assert_false(valid((struct str){ whole[i].p, n }));
		memcpy(more, whole[i].p, whole[i].n);
		for (n = 0; n < 256; n++) {
			more[whole[i].n] = (char)n;
			assert_int_equal(valid((struct str){ more, whole[i].n + 1 }),
					 n == ' ' || n == '\n' || n == '\r' || n == '\t');
		}
	}
}

static void depth_is_bounded(void **state)
{
	char text[3 * 70];
	size_t depth, i;

	(void)state;
	for (depth = 1; depth < 70; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(valid((struct str){ text, 2 * depth }), depth <= 32);
		/* Objects: {"":{"":{}}} needs a value within each but the last. */
		if (depth > 40)
			continue;
		for (i = 0; i + 1 < depth; i++)
			memcpy(text + 4 * i, "{\"\":", 4);
		text[4 * i] = '{';
		memset(text + 4 * i + 1, '}', depth);
		assert_int_equal(valid((struct str){ text, 4 * i + 1 + depth }), depth <= 32);
		assert_int_equal(parsed((struct str){ text, 4 * i + 1 + depth }, true), STATUS_OK);
	}
	/* Loosely, as an object's member: what lies deeper than 64 is passed over. */
	for (depth = 60; depth < 67; depth++) {
		memcpy(text, "{\"k\":", 5);
		memset(text + 5, '[', depth);
		memset(text + 5 + depth, ']', depth);
		text[5 + 2 * depth] = '}';
		assert_int_equal(parsed((struct str){ text, 6 + 2 * depth }, true), STATUS_OK);
		text[5 + depth] = '}';
		assert_int_equal(parsed((struct str){ text, 6 + 2 * depth }, true),
				 depth <= 63 ? STATUS_INVALID : STATUS_OK);
		assert_int_equal(parsed((struct str){ text, 5 + 2 * depth }, true), STATUS_INVALID);
	}
}

/* However deep: neither stack nor memory grows with it. */
static void loose_depth_has_no_bound(void **state)
{
	const size_t depth = 1000000;
	char *text = malloc(2 * depth + 8);
	struct str whole = { text, 2 * depth + 6 };

	(void)state;
	assert_non_null(text);
	memcpy(text, "{\"k\":", 5);
	memset(text + 5, '[', depth);
	memset(text + 5 + depth, ']', depth);
	text[5 + 2 * depth] = '}';
	assert_int_equal(parsed(whole, true), STATUS_OK);
	assert_int_equal(parsed(whole, false), STATUS_INVALID);
	/* One that is missing is missed. */
	text[5 + depth] = ' ';
	assert_int_equal(parsed(whole, true), STATUS_INVALID);
	free(text);
}

/* The validator takes eight bytes at once: each byte, at each place of such a run and behind it. */
static void every_byte_at_every_place(void **state)
{
	char text[] = "\"12345678abcdefghxyz\"";
	unsigned byte;
	size_t at;
	char before;

	(void)state;
	for (at = 1; at < sizeof(text) - 2; at++) {
		before = text[at];
		for (byte = 0; byte < 256; byte++) {
			text[at] = (char)byte;
			if (byte == '\\' && strchr("bf", text[at + 1]))
				continue;
			assert_int_equal(valid((struct str){ text, sizeof(text) - 1 }),
					 byte >= 0x20 && byte < 0x80 && byte != '"' &&
						 byte != '\\');
		}
		text[at] = before;
	}
}

/* Every string of one, two or three bytes is taken if and only if it is valid UTF-8 without what must be escaped. */
static void strings_are_valid_utf8(void **state)
{
	char text[] = "\"   \"";
	size_t n;
	unsigned i, a, c;
	bool plain;

	(void)state;
	for (n = 1; n <= 2; n++) {
		for (i = 0; i < 65536; i++) {
			text[1] = (char)(i & 255);
			text[2] = (char)(n == 2 ? i >> 8 : '"');
			text[n + 1] = '"';
			plain = true;
			for (a = 1; a <= n; a++) {
				c = (unsigned char)text[a];
				plain = plain && c >= 0x20 && c != '"' && c != '\\';
			}
			if (n == 2 && text[1] == '\\')
				plain = text[2] && strchr("\"\\/bfnrt", text[2]);
			assert_int_equal(json_valid((struct str){ text, n + 2 }),
					 plain && utf8_valid((struct str){ text + 1, n }, NULL));
		}
	}
}

/* What the validator takes, json-c takes: random documents, most of them spoilt by a byte or two. */
static void validator_and_parser_agree(void **state)
{
	static const char *const parts[] = { "{",
					     "}",
					     "[",
					     "]",
					     ",",
					     ":",
					     "\"a\"",
					     "\"\\u0000\"",
					     "0",
					     "-1.5e+7",
					     "\"\\ud83d\"",
					     "true",
					     "null",
					     " ",
					     "\"b\":",
					     "{\"c\":",
					     "\"\xff\"",
					     "1e400",
					     "99999999999999999999",
					     "\"\\ud83d\\ude00\"",
					     "\"\":" };
	uint64_t random = 3;
	struct buf text;
	int round, i, taken = 0;
	bool strict;

	(void)state;
	buf_init(&text, 1000);
	for (round = 0; round < 200000; round++) {
		buf_reset(&text);
		buf_puts(&text, "{\"k\":");
		for (i = (int)(unit_random(&random) % 6); i >= 0; i--)
			buf_puts(&text, parts[unit_random(&random) % COUNT(parts)]);
		buf_puts(&text, "}");
		strict = json_valid(buf_view(&text));
		taken += strict;
		assert_int_equal(parsed(buf_view(&text), false),
				 strict ? STATUS_OK : STATUS_INVALID);
		/* Loose takes all that strict takes; never STATUS_NOMEM, which json-c's refusal would be. */
		assert_int_not_equal(parsed(buf_view(&text), true),
				     strict ? STATUS_INVALID : STATUS_NOMEM);
	}
	assert_true(taken > 1000);
	buf_clear(&text);
}

/* Of a client's text its length bounds them. */
static void values_are_bounded_where_the_text_is_long(void **state)
{
	struct buf text;
	int more, i;

	(void)state;
	buf_init(&text, 1 << 20);
	for (more = 0; more < 2; more++) {
		buf_reset(&text);
		buf_puts(&text, "{\"k\":[0");
		/* The object, the array and its first item are values too. */
		for (i = 3; i < JSON_LOOSE_VALUES + more; i++)
			buf_puts(&text, ",0");
		buf_puts(&text, "]}");
		assert_int_equal(parsed(buf_view(&text), true), more ? STATUS_INVALID : STATUS_OK);
		assert_int_equal(parsed(buf_view(&text), false), STATUS_OK);
	}
	buf_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_good),
		cmocka_unit_test(refuses_the_bad),
		cmocka_unit_test(loose_takes_more),
		cmocka_unit_test(no_part_is_whole),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(loose_depth_has_no_bound),
		cmocka_unit_test(every_byte_at_every_place),
		cmocka_unit_test(strings_are_valid_utf8),
		cmocka_unit_test(validator_and_parser_agree),
		cmocka_unit_test(values_are_bounded_where_the_text_is_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
