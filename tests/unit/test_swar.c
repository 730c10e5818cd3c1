/* base/swar: the first byte that is marked, wherever it lies, and none that is not. */
#include "unit.h"

#include "base/swar.h"

#define LONGEST 40

static uint64_t control(uint64_t word)
{
	return swar_below(word, 0x20);
}

static uint64_t quote(uint64_t word)
{
	return swar_equal(word, '"');
}

static uint64_t last(uint64_t word)
{
	return swar_equal(word, 0xff);
}

static uint64_t several(uint64_t word)
{
	return control(word) | quote(word) | swar_beyond(word);
}

static bool is_control(unsigned char c)
{
	return c < 0x20;
}

static bool is_quote(unsigned char c)
{
	return c == '"';
}

static bool is_last(unsigned char c)
{
	return c == 0xff;
}

static bool is_one_of_several(unsigned char c)
{
	return c < 0x20 || c == '"' || c >= 0x80;
}

/* The same, byte by byte. */
static size_t expected(const char *p, size_t at, size_t n, bool (*is)(unsigned char c))
{
	if (n - at < SWAR_BYTES)
		return at;
	while (at < n && !is((unsigned char)p[at]))
		at++;
	return at;
}

static void check(const char *p, size_t n)
{
	size_t at;

	for (at = 0; at <= n; at++) {
		assert_int_equal(swar_skip(p, at, n, control), expected(p, at, n, is_control));
		assert_int_equal(swar_skip(p, at, n, quote), expected(p, at, n, is_quote));
		assert_int_equal(swar_skip(p, at, n, last), expected(p, at, n, is_last));
		assert_int_equal(swar_skip(p, at, n, several),
				 expected(p, at, n, is_one_of_several));
	}
}

/* Neighbours of what is marked are what a borrow from below reaches. */
static void each_byte_at_each_place(void **state)
{
	char text[LONGEST];
	size_t n, at;
	unsigned c;

	(void)state;
	for (n = 0; n <= 20; n++)
		for (at = 0; at < n; at++)
			for (c = 0; c <= 0xff; c++) {
				memset(text, 'a', n);
				text[at] = (char)c;
				check(text, n);
				if (at + 1 == n)
					continue;
				text[at + 1] = (char)(c + 1);
				check(text, n);
			}
}

static void random_texts(void **state)
{
	static const char some[] = "aaaa\x1f\x20\x21\x22\x23\x7f\x80\x81\xfe\xff";
	uint64_t seed = 1;
	char text[LONGEST];
	size_t n, i;
	int round;

	(void)state;
	for (round = 0; round < 2000; round++) {
		n = unit_random(&seed) % (LONGEST + 1);
		for (i = 0; i < n; i++)
			text[i] = some[unit_random(&seed) % (sizeof(some) - 1)];
		check(text, n);
	}
}

static void a_text_that_is_absent(void **state)
{
	(void)state;
	assert_int_equal(swar_skip(NULL, 0, 0, several), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_at_each_place),
		cmocka_unit_test(random_texts),
		cmocka_unit_test(a_text_that_is_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
