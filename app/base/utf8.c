/*
 * UTF-8 by the Unicode standard's table 3-7, with surrogates in their three-byte form as a case of
 * their own.
 */
#include "base/utf8.h"

static bool begins_surrogate(const unsigned char *p, size_t n)
{
	return n >= 2 && p[0] == 0xed && p[1] >= 0xa0;
}

static bool follows(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

struct utf8_part utf8_look_beyond(const unsigned char *p, size_t n)
{
	unsigned char least = 0x80, most = 0xbf;
	size_t need, i;

	/* What most of the world's texts are, at once; the loop below would say the same. */
	if (n >= 3 && p[0] >= 0xe1 && p[0] <= 0xef && p[0] != 0xed && follows(p[1]) &&
	    follows(p[2]))
		return (struct utf8_part){ UTF8_WHOLE, 3 };
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return (struct utf8_part){ UTF8_BAD, 1 };
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		least = 0xa0;
	else if (p[0] == 0xf0)
		least = 0x90;
	else if (p[0] == 0xf4)
		most = 0x8f;
	for (i = 1; i < need; i++) {
		if (i == n)
			return (struct utf8_part){ begins_surrogate(p, n) ? UTF8_CUT_HALF
									  : UTF8_CUT,
						   n };
		/*
		 * Half a surrogate is no beginning of anything valid: each of its bytes counts
		 * alone.
		 */
		if (p[i] < least || p[i] > most)
			return (struct utf8_part){ UTF8_BAD, begins_surrogate(p, i) ? 1 : i };
		least = 0x80;
		most = 0xbf;
	}
	if (begins_surrogate(p, need))
		return (struct utf8_part){ p[1] < 0xb0 ? UTF8_HIGH : UTF8_LOW, 3 };
	return (struct utf8_part){ UTF8_WHOLE, need };
}

bool utf8_low_may_come(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0xed && (n == 1 || (n == 2 && p[1] >= 0xb0 && p[1] <= 0xbf)));
}

size_t utf8_encode(uint32_t character, char out[4])
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4, i;

	for (i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	out[0] = (char)(leads[n] | character);
	return n;
}
