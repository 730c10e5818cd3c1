/*
 * UTF-8, one character at a time: the only place that knows its bits.  Valid means RFC 3629: no
 * overlong form, no surrogate, nothing above U+10FFFF.  Whole texts are wire/utf8's.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum utf8_kind {
	UTF8_WHOLE, /* a valid character */
	UTF8_HIGH,  /* a surrogate in three bytes */
	UTF8_LOW,
	UTF8_BAD,      /* a maximal invalid part */
	UTF8_CUT,      /* right so far, and at its end */
	UTF8_CUT_HALF, /* two bytes of a surrogate, and at its end */
};

struct utf8_part {
	enum utf8_kind kind;
	size_t n; /* its bytes, at least one */
};

/* What `n` bytes beyond ASCII (at least one) begin with: for utf8_look(). */
struct utf8_part utf8_look_beyond(const unsigned char *p, size_t n);

/* What `n` bytes (at least one) begin with. */
static inline struct utf8_part utf8_look(const unsigned char *p, size_t n)
{
	if (p[0] < 0x80)
		return (struct utf8_part){ UTF8_WHOLE, 1 };
	return utf8_look_beyond(p, n);
}

/* The code point of a part that is UTF8_WHOLE, UTF8_HIGH or UTF8_LOW, of `n` bytes. */
static inline uint32_t utf8_decode(const unsigned char *p, size_t n)
{
	switch (n) {
	case 1:
		return p[0];
	case 2:
		return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	case 3:
		return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	default:
		return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 |
		       (p[3] & 0x3fu);
	}
}

/* The length of the valid character that `s` begins with, 1 to 4, and *character; 0: of none. */
static inline size_t utf8_character(struct str s, uint32_t *character)
{
	const unsigned char *p = (const unsigned char *)s.p;
	struct utf8_part part;

	if (!s.n)
		return 0;
	part = utf8_look(p, s.n);
	if (part.kind != UTF8_WHOLE)
		return 0;
	*character = part.n == 1 ? p[0] : utf8_decode(p, part.n);
	return part.n;
}

/* True if those bytes, all that came until now, are none or begin a low surrogate. */
bool utf8_low_may_come(const unsigned char *p, size_t n);

/* Writes a code point to U+10FFFF, a surrogate in its three-byte form too; how many bytes it took. */
size_t utf8_encode(uint32_t character, char out[4]);

#endif
