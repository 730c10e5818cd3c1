/* wire/utf8: what is valid, and the joiner: the same text at every cut, always valid, as the standard's decoder says. */
#include "unit.h"

#include "wire/utf8.h"

#define BAD "\xef\xbf\xbd"

static void tells_valid_from_invalid(void **state)
{
	static const struct {
		struct str text;
		bool valid;
		size_t count;
	} cases[] = {
		{ { "", 0 }, true, 0 },
		{ { "abc", 3 }, true, 3 },
		{ { "a\0b", 3 }, true, 3 },
		{ { "\x7f\xc2\x80\xdf\xbf", 5 }, true, 3 },
		{ { "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 12 }, true, 4 },
		{ { "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8 }, true, 2 },
		{ { "\x80", 1 }, false, 0 },
		{ { "\xc0\x80", 2 }, false, 0 },
		{ { "\xc1\xbf", 2 }, false, 0 },
		{ { "\xc2", 1 }, false, 0 },
		{ { "\xc2"
		    "a",
		    2 },
		  false,
		  0 },
		{ { "\xe0\x9f\xbf", 3 }, false, 0 },
		{ { "\xe2\x82", 2 }, false, 0 },
		{ { "\xed\xa0\x80", 3 }, false, 0 },
		{ { "\xed\xbf\xbf", 3 }, false, 0 },
		{ { "\xf0\x8f\xbf\xbf", 4 }, false, 0 },
		{ { "\xf0\x9f\x98", 3 }, false, 0 },
		{ { "\xf4\x90\x80\x80", 4 }, false, 0 },
		{ { "\xf5\x80\x80\x80", 4 }, false, 0 },
		{ { "\xff", 1 }, false, 0 },
	};
	size_t i, count;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		count = 99;
		assert_int_equal(utf8_valid(cases[i].text, &count), cases[i].valid);
		assert_int_equal(count, cases[i].valid ? cases[i].count : 99);
		assert_int_equal(utf8_valid(cases[i].text, NULL), cases[i].valid);
	}
	assert_true(utf8_valid(STR_NONE, &count));
}

static void what_shows_nothing_is_blank(void **state)
{
	static const struct {
		struct str text;
		bool blank;
	} cases[] = {
		{ STR_NONE, true },
		{ STR(""), true },
		{ STR(" \t\r\n\v\f\0\x1c\x1f\x7f"), true },
		/* Each of Unicode's White_Space beyond ASCII. */
		{ STR("\xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x8a\xe2\x80\xa8\xe2\x80\xa9"
		      "\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80"),
		  true },
		/* Without a width: zero width space, joiner, word joiner, byte order mark. */
		{ STR("\xe2\x80\x8b\xe2\x80\x8d\xe2\x81\xa0\xef\xbb\xbf"), true },
		{ STR("\n\n."), false },
		{ STR("\xc2\xa1"), false },
		{ STR("\xe2\x80\x90"), false },
		{ STR("\xe3\x80\x81"), false },
		{ STR("\xf0\x9f\x98\x80"), false },
		{ STR(BAD), false },
		{ STR(" \xff"), false },
		{ STR(" \xe2\x80"), false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_int_equal(utf8_blank(cases[i].text), cases[i].blank);
}

static size_t encode(uint32_t c, char out[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;
	static const unsigned lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return n;
}

static void every_code_point(void **state)
{
	char bytes[4];
	uint32_t c;
	size_t n;

	(void)state;
	for (c = 0; c <= 0x10ffff; c++) {
		n = encode(c, bytes);
		assert_int_equal(utf8_length((struct str){ bytes, n }),
				 c >= 0xd800 && c <= 0xdfff ? 0 : n);
		assert_int_equal(utf8_length((struct str){ bytes, n - 1 }), 0);
	}
	assert_int_equal(utf8_length(STR("ab")), 1);
	assert_int_equal(utf8_length(STR("\xe2\x82\xac!")), 3);
}

/* Feeds `text` in pieces that end where `cuts` has a bit (or whole), then ends it. */
static void join(struct str text, uint64_t cuts, struct buf *out)
{
	struct utf8_joiner joiner;
	size_t from = 0, i;

	buf_reset(out);
	utf8_joiner_init(&joiner);
	for (i = 0; i < text.n; i++) {
		if (cuts >> (i % 64) & 1) {
			utf8_joiner_feed(&joiner, (struct str){ text.p + from, i - from }, out);
			from = i;
		}
		assert_true(utf8_valid(buf_view(out), NULL));
	}
	utf8_joiner_feed(&joiner, str_skip(text, from), out);
	assert_true(utf8_valid(buf_view(out), NULL));
	utf8_joiner_end(&joiner, out);
	assert_int_equal(buf_check(out), STATUS_OK);
	assert_true(utf8_valid(buf_view(out), NULL));
	assert_null(memchr(buf_text(out), '\0', out->len));
}

static void mends_the_same_at_every_cut(void **state)
{
	static const struct {
		struct str text;
		struct str mended;
	} cases[] = {
		{ { "", 0 }, STR("") },
		{ { "plain", 5 }, STR("plain") },
		{ { "a\0b", 3 }, STR("a" BAD "b") },
		{ { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9 },
		  STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") },
		/* The halves of one character, each in three bytes. */
		{ { "\xed\xa0\xbd\xed\xb8\x80", 6 }, STR("\xf0\x9f\x98\x80") },
		{ { "\xed\xa0\x80\xed\xb0\x80\xed\xaf\xbf\xed\xbf\xbf", 12 },
		  STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf") },
		/* Alone, doubled, in the wrong order. */
		{ { "\xed\xa0\xbd", 3 }, STR(BAD) },
		{ { "\xed\xb8\x80", 3 }, STR(BAD) },
		{ { "\xed\xa0\xbd!", 4 }, STR(BAD "!") },
		{ { "\xed\xa0\xbd\xc3\xa9", 5 }, STR(BAD "\xc3\xa9") },
		{ { "\xed\xa0\xbd\xed\x95\x9c", 6 }, STR(BAD "\xed\x95\x9c") },
		{ { "\xed\xb8\x80\xed\xa0\xbd", 6 }, STR(BAD BAD) },
		{ { "\xed\xa0\xbd\xed\xa0\xbd\xed\xb8\x80", 9 }, STR(BAD "\xf0\x9f\x98\x80") },
		{ { "\xed\xa0\xbd\0\xed\xb8\x80", 7 }, STR(BAD BAD BAD) },
		/* Half a surrogate: no beginning of anything valid. */
		{ { "\xed\xa0", 2 }, STR(BAD BAD) },
		{ { "\xed\xa0"
		    "a",
		    3 },
		  STR(BAD BAD "a") },
		{ { "\xed\xa0\xbd\xed\xb8", 5 }, STR(BAD BAD BAD) },
		/* Maximal parts: the examples of the Unicode standard, tables 3-8 to 3-11. */
		{ { "\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9 },
		  STR(BAD BAD BAD BAD BAD BAD BAD BAD "A") },
		{ { "\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9 },
		  STR(BAD BAD BAD BAD BAD "A" BAD BAD "B") },
		{ { "\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9 }, STR(BAD BAD BAD BAD "A") },
		{ { "\xf0\x9f\x98", 3 }, STR(BAD) },
		{ { "\xe2\x82", 2 }, STR(BAD) },
		{ { "\xc3", 1 }, STR(BAD) },
	};
	struct buf out;
	uint64_t cuts;
	size_t i;

	(void)state;
	buf_init(&out, 1000);
	for (i = 0; i < COUNT(cases); i++) {
		for (cuts = 0; cuts < (uint64_t)1 << cases[i].text.n; cuts++) {
			join(cases[i].text, cuts, &out);
			assert_same(buf_view(&out), cases[i].mended);
		}
	}
	buf_clear(&out);
}

/* The WHATWG decoder, word for word as its page has it, as a second opinion. */
static void decode(struct str text, struct buf *out)
{
	unsigned needed = 0, seen = 0, least = 0x80, most = 0xbf, b;
	uint32_t c = 0;
	char bytes[4];
	size_t i;

	for (i = 0; i < text.n; i++) {
		b = (unsigned char)text.p[i];
		if (needed && (b < least || b > most)) {
			buf_puts(out, BAD);
			needed = seen = 0;
		}
		if (needed) {
			c = c << 6 | (b & 0x3f);
			seen++;
		} else if (b < 0x80) {
			c = b ? b : 0xfffd;
		} else if (b >= 0xc2 && b <= 0xf4) {
			needed = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
			c = b & (0x3fu >> needed);
			least = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
			most = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
			continue;
		} else {
			c = 0xfffd;
		}
		least = 0x80;
		most = 0xbf;
		if (seen == needed) {
			buf_append(out, bytes, encode(c, bytes));
			needed = seen = 0;
		}
	}
	if (needed)
		buf_puts(out, BAD);
}

/* Whole surrogates become what the joiner makes of them, so that the decoder may judge the rest. */
static void resolve(struct str text, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)text.p;
	uint32_t high, low;
	char bytes[4];
	size_t i = 0;

#define SURROGATE(at, from, to)                                                                    \
	((at) + 2 < text.n && p[at] == 0xed && p[(at) + 1] >= (from) && p[(at) + 1] <= (to) &&     \
	 p[(at) + 2] >= 0x80 && p[(at) + 2] <= 0xbf)
	while (i < text.n) {
		if (SURROGATE(i, 0xa0, 0xaf) && SURROGATE(i + 3, 0xb0, 0xbf)) {
			high = (p[i + 1] & 0xfu) << 6 | (p[i + 2] & 0x3fu);
			low = (p[i + 4] & 0xfu) << 6 | (p[i + 5] & 0x3fu);
			buf_append(out, bytes, encode(0x10000 + (high << 10) + low, bytes));
			i += 6;
		} else if (SURROGATE(i, 0xa0, 0xbf)) {
			buf_puts(out, BAD);
			i += 3;
		} else {
			buf_putc(out, text.p[i++]);
		}
	}
#undef SURROGATE
}

static void agrees_with_the_standard(void **state)
{
	static const char *const parts[] = {
		"a",	"\xc3", "\xa9", "\xe2", "\x82",		"\xed",		"\xa0", "\xb0",
		"\xf0", "\x9f", "\xf4", "\x8f", "\xed\xa0\xbd", "\xed\xb8\x80", "\xff"
	};
	struct buf text, resolved, expected, out;
	uint64_t random = 1;
	int round, i;

	(void)state;
	buf_init(&text, 1000);
	buf_init(&resolved, 1000);
	buf_init(&expected, 1000);
	buf_init(&out, 1000);
	for (round = 0; round < 30000; round++) {
		buf_reset(&text);
		buf_reset(&resolved);
		buf_reset(&expected);
		for (i = 0; i < 8; i++)
			buf_puts(&text, parts[unit_random(&random) % COUNT(parts)]);
		resolve(buf_view(&text), &resolved);
		decode(buf_view(&resolved), &expected);
		join(buf_view(&text), 0, &out);
		assert_same(buf_view(&out), buf_view(&expected));
		join(buf_view(&text), unit_random(&random), &out);
		assert_same(buf_view(&out), buf_view(&expected));
	}
	buf_clear(&text);
	buf_clear(&resolved);
	buf_clear(&expected);
	buf_clear(&out);
}

static void whole_characters_go_at_once(void **state)
{
	struct utf8_joiner joiner;
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	utf8_joiner_init(&joiner);
	utf8_joiner_feed(&joiner, STR("ab\xe2\x82"), &out);
	assert_str(buf_view(&out), "ab");
	utf8_joiner_feed(&joiner, STR(""), &out);
	utf8_joiner_feed(&joiner, STR_NONE, &out);
	utf8_joiner_feed(&joiner, STR("\xac"), &out);
	assert_str(buf_view(&out), "ab\xe2\x82\xac");
	utf8_joiner_end(&joiner, &out);
	utf8_joiner_end(&joiner, &out);
	assert_str(buf_view(&out), "ab\xe2\x82\xac");
	/* After its end it begins anew. */
	utf8_joiner_feed(&joiner, STR("\xed\xa0\xbd"), &out);
	utf8_joiner_end(&joiner, &out);
	utf8_joiner_feed(&joiner, STR("\xed\xb8\x80"), &out);
	assert_str(buf_view(&out), "ab\xe2\x82\xac" BAD BAD);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_valid_from_invalid),
		cmocka_unit_test(what_shows_nothing_is_blank),
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(mends_the_same_at_every_cut),
		cmocka_unit_test(agrees_with_the_standard),
		cmocka_unit_test(whole_characters_go_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
