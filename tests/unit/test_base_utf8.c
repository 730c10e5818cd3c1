/* base/utf8: every code point there and back, and every start that is none. */
#include "unit.h"

#include "base/utf8.h"

static void every_code_point_there_and_back(void **state)
{
	uint32_t c, again;
	char bytes[4];
	size_t n, k;

	(void)state;
	for (c = 0; c <= 0x10ffff; c++) {
		n = utf8_encode(c, bytes);
		assert_int_equal(n, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
		assert_int_equal(utf8_decode((unsigned char *)bytes, n), c);
		if (c >= 0xd800 && c <= 0xdfff) {
			assert_int_equal(utf8_look((unsigned char *)bytes, n).kind,
					 c < 0xdc00 ? UTF8_HIGH : UTF8_LOW);
			assert_int_equal(utf8_look((unsigned char *)bytes, 2).kind, UTF8_CUT_HALF);
			assert_int_equal(utf8_character((struct str){ bytes, n }, &again), 0);
			continue;
		}
		assert_int_equal(utf8_character((struct str){ bytes, n }, &again), n);
		assert_int_equal(again, c);
		for (k = 1; k < n; k++) {
			assert_int_equal(utf8_look((unsigned char *)bytes, k).kind, UTF8_CUT);
			assert_int_equal(utf8_look((unsigned char *)bytes, k).n, k);
		}
	}
}

/* By three bytes, of which any sequence is either encoded as above, or cut, or bad. */
static void whatever_is_whole_was_encoded(void **state)
{
	unsigned char bytes[4] = { 0 };
	struct utf8_part part;
	char again[4];
	uint32_t i;

	(void)state;
	for (i = 0; i < 1u << 24; i += i % 3 + 1) {
		bytes[0] = (unsigned char)(i >> 16);
		bytes[1] = (unsigned char)(i >> 8);
		bytes[2] = (unsigned char)i;
		part = utf8_look(bytes, 3);
		if (part.n < 1 || part.n > 3)
			fail_msg("%06x takes %zu", i, part.n);
		if (part.kind != UTF8_WHOLE)
			continue;
		if (utf8_encode(utf8_decode(bytes, part.n), again) != part.n ||
		    memcmp(again, bytes, part.n) != 0)
			fail_msg("%06x is no encoding", i);
	}
	assert_int_equal(utf8_character(STR_NONE, &i), 0);
}

static void a_low_half_may_come(void **state)
{
	static const struct {
		struct str bytes;
		bool may;
	} cases[] = {
		{ STR(""), true },	   { STR("\xed"), true },      { STR("\xed\xb0"), true },
		{ STR("\xed\xbf"), true }, { STR("\xed\xa0"), false }, { STR("\xee"), false },
		{ STR("a"), false },	   { STR("\xed\xc0"), false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_int_equal(utf8_low_may_come((const unsigned char *)cases[i].bytes.p,
						   cases[i].bytes.n),
				 cases[i].may);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_there_and_back),
		cmocka_unit_test(whatever_is_whole_was_encoded),
		cmocka_unit_test(a_low_half_may_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
