/* chat/model_token: what it takes, and all that it leaves to the parser. */
#include "unit.h"

#include "chat/model_token.h"

struct row {
	struct str text, content;
};

#define CHUNK(content) "{\"choices\":[{\"index\":0,\"delta\":{\"content\":" content "}}]}"

/* Of several choices or of one. */
static const struct row taken[] = {
	{ STR(CHUNK("\"a\"")), STR("a") },
	{ STR(CHUNK("\"\\n\\\"\\u00e9\"")), STR("\\n\\\"\\u00e9") },
	{ STR(CHUNK("\"\xe2\x82\xac\"")), STR("\xe2\x82\xac") },
	{ STR(CHUNK("\"\"")), STR("") },
	{ STR(CHUNK("null")), STR("") },
	{ STR("{\"choices\":[{\"delta\":{}}]}"), STR("") },
	{ STR("{\"choices\":[{\"delta\":{\"content\":\"a\",\"refusal\":\"x\"}}]}"), STR("a") },
	{ STR("{\"choices\":[{\"delta\":{\"refusal\":null,\"content\":\"\"}}]}"), STR("") },
	{ STR("{\"choices\":[{\"message\":{\"content\":\"b\"},\"delta\":{\"content\":\"a\"}}]}"),
	  STR("a") },
	{ STR("{ \"choices\" : [ { \"delta\" : { \"content\" : \"a\" } , \"x\" : [ {} ] } ] }"),
	  STR("a") },
	{ STR("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"error\":null,\"finish_reason\":null}]"
	      ","
	      "\"error\":null,\"usage\":null,\"object\":\"chat.completion.chunk\",\"type\":null}"),
	  STR("a") },
	{ STR("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"\"}]}"), STR("a") },
	/* What does not count may be anything, and stand there as often as it likes. */
	{ STR("{\"x\":1,\"x\":{\"error\":1,\"usage\":{}},\"choices\":[{\"delta\":{\"content\":"
	      "\"a\","
	      "\"y\":\"\\ud83d\\ude00\"}}],\"errors\":[1]}"),
	  STR("a") },
};

static const struct str left[] = {
	STR("{}"),
	STR("{\"choices\":null}"),
	STR("{\"choices\":[]}"),
	STR("{\"choices\":[null]}"),
	STR("{\"choices\":[{}]}"),
	STR("{\"choices\":[{\"delta\":null}]}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"delta\":{}}]}"),
	STR(CHUNK("[{\"type\":\"text\",\"text\":\"a\"}]")),
	STR(CHUNK("7")),
	/* It says more than is known here. */
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":7}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"x\":NaN}}"),
	STR("{\"choices\":[],\"usage\":null}"),
	STR("{\"choices\":[],\"usage\":{},\"detail\":\"x\"}"),
	STR("{\"choices\":[{\"delta\":{}}],\"usage\":{},\"usage\":null}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"error\":{}}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"object\":\"error\"}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"type\":\"error\"}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"type\":\"e\\u0072ror\"}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"error\":\"x\"}]}"),
	STR("{\"choices\":[{\"delta\":{},\"finish_reason\":\"st\\u006fp\"}]}"),
	STR("{\"choices\":[{\"delta\":{},\"finish_reason\":7}]}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"\",\"refusal\":\"x\"}}]}"),
	STR("{\"choices\":[{\"delta\":{},\"message\":{\"content\":\"a\"}}]}"),
	/* The last of equal names counts, and a name may be written otherwise. */
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\",\"content\":\"b\"}}]}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"choices\":[]}"),
	STR("{\"error\":null,\"error\":{},\"choices\":[{\"delta\":{\"content\":\"a\"}}]}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\",\"c\\u006fntent\":\"b\"}}]}"),
	/* No JSON, or not such as json_parse() takes. */
	STR(""),
	STR("{"),
	STR("[]"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\",}}]}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}x"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"x\":tru}"),
	STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"x\":NaN}"),
	STR(CHUNK("\"\n\"")),
	STR(CHUNK("\"\\x\"")),
	STR(CHUNK("\"\\ud83d\"")),
	STR(CHUNK("\"\\u0000\"")),
	STR(CHUNK("\"\xff\"")),
	STR(CHUNK("\"\xe2\x82\"")),
};

static void text_alone_is_taken(void **state)
{
	struct model_token_frame frame = { .before = 0 };
	struct model_token token;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(taken); i++) {
		assert_true(model_token_read(taken[i].text, false, &frame, &token));
		assert_true(model_token_read(taken[i].text, true, &frame, &token));
		assert_true(str_equal(token.content, taken[i].content));
		assert_int_equal(token.escaped,
				 memchr(token.content.p, '\\', token.content.n) != NULL);
	}
}

static void an_end_and_a_usage_are_taken(void **state)
{
	static const struct {
		struct str text, reason, usage;
	} rows[] = {
		{ STR("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}"),
		  STR("stop"), STR_NONE },
		{ STR("{\"choices\":[{\"finish_reason\":\"length\",\"delta\":{}}],\"usage\":{ }}"),
		  STR("length"), STR("{ }") },
		{ STR("{\"id\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":[1]}}"), STR_NONE,
		  STR("{\"prompt_tokens\":[1]}") },
		{ STR("{\"usage\":{\"a\":1},\"model\":7}"), STR_NONE, STR("{\"a\":1}") },
	};
	struct model_token_frame frame = { .before = 0 };
	struct model_token token;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_true(model_token_read(rows[i].text, false, &frame, &token));
		assert_true(str_equal(token.reason, rows[i].reason));
		assert_true(str_equal(token.usage, rows[i].usage));
		assert_int_equal(frame.before, 0); /* it will not come again */
	}
}

static void all_else_is_left(void **state)
{
	struct model_token_frame frame = { .before = 0 };
	struct model_token token;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(left); i++)
		assert_false(model_token_read(left[i], false, &frame, &token));
}

static void of_several_the_first_counts(void **state)
{
	static const struct row rows[] = {
		{ STR("{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"a\"}}]}"), STR("a") },
		{ STR("{\"choices\":[{\"index\":0.5,\"delta\":{\"content\":\"a\"}}]}"), STR("a") },
		{ STR("{\"choices\":[{\"index\":\"x\",\"delta\":{\"content\":\"a\"}}]}"),
		  STR("a") },
	};
	struct model_token_frame frame = { .before = 0 };
	struct model_token token;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_true(model_token_read(rows[i].text, false, &frame, &token));
		assert_true(str_equal(token.content, rows[i].content));
		assert_false(model_token_read(rows[i].text, true, &frame, &token));
	}
}

/* Every beginning of it, and one that is longer than the parser's own bounds need. */
static void a_part_is_left(void **state)
{
	struct str text = taken[10].text;
	struct model_token_frame frame = { .before = 0 };
	struct model_token token;
	struct buf out;
	size_t n;

	(void)state;
	for (n = 0; n < text.n; n++)
		assert_false(model_token_read((struct str){ text.p, n }, false, &frame, &token));
	buf_init(&out, 1 << 20);
	buf_puts(&out, "{\"x\":[0");
	for (n = 0; n < 50000; n++)
		buf_puts(&out, ",0");
	buf_puts(&out, "],\"choices\":[{\"delta\":{\"content\":\"a\"}}]}");
	assert_false(model_token_read(buf_view(&out), false, &frame, &token));
	buf_clear(&out);
}

/* What is around it need not be read again, but another content is no more believed than the first. */
static void a_frame_is_believed_only_as_it_was(void **state)
{
	static const struct row rows[] = {
		{ STR(CHUNK("\"b\"")), STR("b") },
		{ STR(CHUNK("\"\\\"\"")), STR("\\\"") },
		{ STR(CHUNK("\"\"")), STR("") },
		{ STR("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"c\",\"x\":\"\"}}]}"),
		  STR("c") },
	};
	static const struct str wrong[] = {
		STR(CHUNK("\"b\",\"content\":\"c\"")),
		STR(CHUNK("\"b\"c\"")),
		STR(CHUNK("\"b\\\"")),
		STR(CHUNK("\"b\n\"")),
		STR("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"}}]"),
		STR("{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}}]}"),
	};
	struct model_token_frame frame = { .before = 0 };
	struct model_token token;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_true(model_token_read(STR(CHUNK("\"a\"")), true, &frame, &token));
		assert_true(model_token_read(rows[i].text, true, &frame, &token));
		assert_true(str_equal(token.content, rows[i].content));
	}
	for (i = 0; i < COUNT(wrong); i++) {
		assert_true(model_token_read(STR(CHUNK("\"a\"")), true, &frame, &token));
		assert_false(model_token_read(wrong[i], true, &frame, &token));
	}
	/* What stood beside a text decides where there is none. */
	assert_true(model_token_read(taken[8].text, true, &frame, &token));
	assert_false(model_token_read(STR("{\"choices\":[{\"message\":{\"content\":\"b\"},"
					  "\"delta\":{\"content\":\"\"}}]}"),
				      true, &frame, &token));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_alone_is_taken),
		cmocka_unit_test(an_end_and_a_usage_are_taken),
		cmocka_unit_test(all_else_is_left),
		cmocka_unit_test(of_several_the_first_counts),
		cmocka_unit_test(a_part_is_left),
		cmocka_unit_test(a_frame_is_believed_only_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
