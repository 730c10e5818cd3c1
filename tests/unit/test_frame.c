/* wire/frame: the exact bytes, and that no text breaks a frame. */
#include "unit.h"

#include "wire/frame.h"
#include "wire/json.h"
#include "wire/sse.h"
#include "wire/utf8.h"

static void styles_differ_around_the_object(void **state)
{
	static const struct {
		enum frame_style style;
		struct str bytes;
	} cases[] = {
		{ FRAME_JSON, STR("{\"type\":\"token\",\"token\":\"a\"}") },
		{ FRAME_NDJSON, STR("{\"type\":\"token\",\"token\":\"a\"}\n") },
		{ FRAME_SSE, STR("data: {\"type\":\"token\",\"token\":\"a\"}\n\n") },
	};
	struct frame frame;
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 1000);
	for (i = 0; i < COUNT(cases); i++) {
		buf_reset(&out);
		frame_begin(&frame, &out, cases[i].style);
		frame_string(&frame, "type", STR("token"));
		frame_string(&frame, "token", STR("a"));
		frame_end(&frame);
		assert_same(buf_view(&out), cases[i].bytes);
	}
	buf_clear(&out);
}

static void members_of_every_kind(void **state)
{
	struct frame frame;
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	frame_begin(&frame, &out, FRAME_JSON);
	frame_end(&frame);
	assert_str(buf_view(&out), "{}");
	buf_reset(&out);
	frame_begin(&frame, &out, FRAME_JSON);
	frame_open(&frame, "empty");
	frame_close(&frame);
	frame_integer(&frame, "least", INT64_MIN);
	frame_integer(&frame, "most", INT64_MAX);
	frame_boolean(&frame, "yes", true);
	frame_boolean(&frame, "no", false);
	frame_raw(&frame, "raw", STR("[1e999999]"));
	frame_members(&frame, STR("\"as\":\"it\",\"stands\":1"));
	frame_string(&frame, "none", STR_NONE);
	frame_open_array(&frame, "list");
	frame_open_element(&frame);
	frame_string(&frame, "a", STR("1"));
	frame_string(&frame, "b", STR("2"));
	frame_close(&frame);
	frame_open_element(&frame);
	frame_open(&frame, "c");
	frame_open_array(&frame, "d");
	frame_close_array(&frame);
	frame_close(&frame);
	frame_integer(&frame, "e", 0);
	frame_close(&frame);
	frame_close_array(&frame);
	frame_boolean(&frame, "last", true);
	frame_end(&frame);
	assert_str(buf_view(&out),
		   "{\"empty\":{},\"least\":-9223372036854775808,\"most\":9223372036854775807,"
		   "\"yes\":true,\"no\":false,\"raw\":[1e999999],\"as\":\"it\",\"stands\":1,"
		   "\"none\":\"\",\"list\":[{\"a\":\"1\",\"b\":\"2\"},{\"c\":{\"d\":[]},\"e\":0}],"
		   "\"last\":true}");
	assert_true(json_valid(buf_view(&out)));
	buf_clear(&out);
}

static void quotes_what_must_be(void **state)
{
	static const struct {
		struct str text;
		struct str quoted;
	} cases[] = {
		{ STR_NONE, STR("\"\"") },
		{ STR("plain"), STR("\"plain\"") },
		{ STR("\"\\/"), STR("\"\\\"\\\\/\"") },
		{ STR("\b\f\n\r\t"), STR("\"\\b\\f\\n\\r\\t\"") },
		{ STR("\0\x01\v\x1f\x7f"), STR("\"\\u0000\\u0001\\u000b\\u001f\\u007f\"") },
		{ STR("a\xc2\x85"
		      "b\xe2\x80\xa8"
		      "c\xe2\x80\xa9"),
		  STR("\"a\\u0085b\\u2028c\\u2029\"") },
		{ STR("\xc2\x80\xc2\x9b[2J\xc2\x9f"), STR("\"\\u0080\\u009b[2J\\u009f\"") },
		{ STR("\xc2\xa0\xc3\x85\xe2\x80\xa7\xe2\x80\xaa\xe2\x81\xa8"),
		  STR("\"\xc2\xa0\xc3\x85\xe2\x80\xa7\xe2\x80\xaa\xe2\x81\xa8\"") },
		{ STR("\xf0\x9f\x98\x80\xe2\x82\xac"), STR("\"\xf0\x9f\x98\x80\xe2\x82\xac\"") },
		{ STR("<\xc2"), STR("\"<\xc2\"") },
		{ STR("<\xe2\x80"), STR("\"<\xe2\x80\"") },
	};
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 1000);
	for (i = 0; i < COUNT(cases); i++) {
		buf_reset(&out);
		frame_quote(&out, cases[i].text);
		assert_same(buf_view(&out), cases[i].quoted);
	}
	buf_clear(&out);
}

static enum status keep(void *context, struct str type, struct str data)
{
	struct buf *kept = context;

	assert_str(type, "");
	assert_int_equal(kept->len, 0);
	buf_str(kept, data);
	return STATUS_OK;
}

/* One event of that text in one style: it comes back whole, and nothing in it ends a line. */
static void goes_round(struct str text, enum frame_style style)
{
	struct buf out, event;
	struct frame frame;
	struct json *json = NULL;
	struct str back, line;
	struct sse sse;
	size_t i;

	buf_init(&out, 10000);
	buf_init(&event, 10000);
	frame_begin(&frame, &out, style);
	frame_string(&frame, "token", text);
	frame_end(&frame);
	assert_int_equal(buf_check(&out), STATUS_OK);
	line = buf_view(&out);
	if (style == FRAME_SSE) {
		sse_init(&sse, 10000);
		assert_int_equal(sse_feed(&sse, line, keep, &event), STATUS_OK);
		sse_clear(&sse);
		assert_int_equal(out.len, event.len + strlen("data: \n\n"));
	} else {
		buf_append(&event, line.p, line.n - (style == FRAME_NDJSON));
	}
	for (i = 0; i < event.len; i++) {
		assert_true((unsigned char)event.data[i] >= 0x20 && event.data[i] != 0x7f);
		/* Of UTF-8, C2 begins U+0080 to U+00BF; up to U+009F it is a control. */
		assert_false(i && event.data[i - 1] == '\xc2' &&
			     (unsigned char)event.data[i] < 0xa0);
	}
	assert_null(memmem(event.data, event.len, "\xe2\x80\xa8", 3));
	assert_null(memmem(event.data, event.len, "\xe2\x80\xa9", 3));
	assert_int_equal(json_parse_loose(buf_view(&event), &json), STATUS_OK);
	assert_true(json_get_string(json_member(json_root(json), "token"), &back));
	assert_same(back, text);
	/* U+0000 is mended before it gets here (S5). */
	assert_int_equal(json_valid(buf_view(&event)), text.n == 0 || !memchr(text.p, 0, text.n));
	json_free(json);
	buf_clear(&out);
	buf_clear(&event);
}

static void no_text_breaks_a_frame(void **state)
{
	static const char *const parts[] = { "\n",
					     "\r",
					     "\n\n",
					     "data: ",
					     "\"",
					     "\\",
					     "}",
					     "\x01",
					     "\x7f",
					     "\xc2\x85",
					     "\xc2\x9b",
					     "\xc2\xa0",
					     "\xc2",
					     "\xe2\x80\xa8",
					     "\xe2\x80\xa9",
					     "\xe2\x82\xac",
					     "\xef\xbb\xbf",
					     "x",
					     "\\u0041",
					     ":",
					     "\xf0\x9f\x98\x80" };
	uint64_t random = 5;
	char one[1];
	struct buf text;
	int round, i, style;

	(void)state;
	for (i = 0; i < 0x80; i++) {
		one[0] = (char)i;
		for (style = FRAME_JSON; style <= FRAME_SSE; style++)
			goes_round((struct str){ one, 1 }, (enum frame_style)style);
	}
	buf_init(&text, 1000);
	for (round = 0; round < 5000; round++) {
		buf_reset(&text);
		for (i = 0; i < 12; i++)
			buf_puts(&text, parts[unit_random(&random) % COUNT(parts)]);
		if (!utf8_valid(buf_view(&text), NULL))
			continue;
		for (style = FRAME_JSON; style <= FRAME_SSE; style++)
			goes_round(buf_view(&text), (enum frame_style)style);
	}
	buf_clear(&text);
}

static void a_full_buffer_is_told(void **state)
{
	struct frame frame;
	struct buf out;
	size_t cap;

	(void)state;
	for (cap = 0; cap < 29; cap++) {
		buf_init(&out, cap);
		frame_begin(&frame, &out, FRAME_SSE);
		frame_string(&frame, "a", STR("b\n\xe2\x80\xa8"));
		frame_end(&frame);
		assert_int_equal(buf_check(&out), cap < 25 ? STATUS_NOMEM : STATUS_OK);
		buf_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(styles_differ_around_the_object),
		cmocka_unit_test(members_of_every_kind),
		cmocka_unit_test(quotes_what_must_be),
		cmocka_unit_test(no_text_breaks_a_frame),
		cmocka_unit_test(a_full_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
