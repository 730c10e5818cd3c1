/*
 * UTF-8 by the Unicode standard's table 3-7, with surrogates in their three-byte form as a case
 * of their own.
 */
#include "wire/utf8.h"

#include <stdint.h>
#include <string.h>

enum part_kind {
	PART_WHOLE, /* a valid character */
	PART_HIGH,  /* a surrogate in three bytes */
	PART_LOW,
	PART_BAD, /* a maximal invalid part */
	PART_CUT, /* right so far, and at its end */
};

struct part {
	enum part_kind kind;
	size_t n;
};

static bool begins_surrogate(const unsigned char *p, size_t n)
{
	return n >= 2 && p[0] == 0xed && p[1] >= 0xa0;
}

/* What `p` (at least one byte) begins with. */
static struct part look(const unsigned char *p, size_t n)
{
	unsigned char least = 0x80, most = 0xbf;
	size_t need, i;

	if (p[0] < 0x80)
		return (struct part){ PART_WHOLE, 1 };
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return (struct part){ PART_BAD, 1 };
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		least = 0xa0;
	else if (p[0] == 0xf0)
		least = 0x90;
	else if (p[0] == 0xf4)
		most = 0x8f;
	for (i = 1; i < need; i++) {
		if (i == n)
			return (struct part){ PART_CUT, n };
		/*
		 * Half a surrogate is no beginning of anything valid: each of its bytes counts
		 * alone.
		 */
		if (p[i] < least || p[i] > most)
			return (struct part){ PART_BAD, begins_surrogate(p, i) ? 1 : i };
		least = 0x80;
		most = 0xbf;
	}
	if (begins_surrogate(p, need))
		return (struct part){ p[1] < 0xb0 ? PART_HIGH : PART_LOW, 3 };
	return (struct part){ PART_WHOLE, need };
}

size_t utf8_length(struct str s)
{
	struct part part;

	if (!s.n)
		return 0;
	part = look((const unsigned char *)s.p, s.n);
	return part.kind == PART_WHOLE ? part.n : 0;
}

bool utf8_valid(struct str s, size_t *count)
{
	size_t length, characters = 0;

	while (s.n) {
		length = (unsigned char)*s.p < 0x80 ? 1 : utf8_length(s);
		if (!length)
			return false;
		s = str_skip(s, length);
		characters++;
	}
	if (count)
		*count = characters;
	return true;
}

static unsigned surrogate(const unsigned char *p)
{
	return 0xd000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

static void append_pair(struct buf *out, const unsigned char *p)
{
	uint32_t c = 0x10000 + ((surrogate(p) - 0xd800) << 10) + (surrogate(p + 3) - 0xdc00);
	unsigned char bytes[4] = {
		(unsigned char)(0xf0 | c >> 18),
		(unsigned char)(0x80 | (c >> 12 & 0x3f)),
		(unsigned char)(0x80 | (c >> 6 & 0x3f)),
		(unsigned char)(0x80 | (c & 0x3f)),
	};

	buf_append(out, bytes, sizeof(bytes));
}

/* True if what follows a high surrogate may still become a low one. */
static bool low_may_come(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0xed && (n == 1 || (n == 2 && p[1] >= 0xb0 && p[1] <= 0xbf)));
}

/*
 * Appends `p`, mended.  Returns how many bytes are settled; the rest, at most five, needs
 * what comes next.  `last`: nothing comes, all is settled.
 */
static size_t mend(const unsigned char *p, size_t n, bool last, struct buf *out)
{
	size_t at = 0, run = 0;
	struct part part;

	while (at < n) {
		part = look(p + at, n - at);
		if (part.kind == PART_WHOLE && p[at]) {
			at += part.n;
			continue;
		}
		buf_append(out, p + run, at - run);
		if (!last && part.kind == PART_CUT)
			return at;
		if (part.kind == PART_HIGH) {
			if (!last && low_may_come(p + at + 3, n - at - 3))
				return at;
			if (n - at >= 6 && look(p + at + 3, 3).kind == PART_LOW) {
				append_pair(out, p + at);
				at += 6;
				run = at;
				continue;
			}
		}
		buf_puts(out, "\xef\xbf\xbd");
		at += part.kind == PART_CUT && begins_surrogate(p + at, part.n) ? 1 : part.n;
		run = at;
	}
	buf_append(out, p + run, at - run);
	return at;
}

void utf8_joiner_init(struct utf8_joiner *joiner)
{
	*joiner = (struct utf8_joiner){ .n = 0 };
}

void utf8_joiner_feed(struct utf8_joiner *joiner, struct str piece, struct buf *out)
{
	size_t settled;

	while (joiner->n && piece.n) {
		joiner->held[joiner->n++] = (unsigned char)*piece.p;
		piece = str_skip(piece, 1);
		settled = mend(joiner->held, joiner->n, false, out);
		joiner->n -= settled;
		memmove(joiner->held, joiner->held + settled, joiner->n);
	}
	if (!piece.n)
		return;
	settled = mend((const unsigned char *)piece.p, piece.n, false, out);
	joiner->n = piece.n - settled;
	memcpy(joiner->held, piece.p + settled, joiner->n);
}

void utf8_joiner_end(struct utf8_joiner *joiner, struct buf *out)
{
	mend(joiner->held, joiner->n, true, out);
	joiner->n = 0;
}
