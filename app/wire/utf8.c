/* Whole texts, and texts that arrive in pieces.  What a character is, base/utf8 knows. */
#include "wire/utf8.h"

#include <string.h>

#include "base/count.h"
#include "base/hot.h"
#include "base/swar.h"
#include "base/utf8.h"

size_t utf8_length(struct str s)
{
	struct utf8_part part;

	if (!s.n)
		return 0;
	part = utf8_look((const unsigned char *)s.p, s.n);
	return part.kind == UTF8_WHOLE ? part.n : 0;
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

bool utf8_blank(struct str s)
{
	static const struct {
		uint32_t first, last;
	} blanks[] = {
		{ 0x0000, 0x0020 }, { 0x007f, 0x00a0 }, { 0x1680, 0x1680 },
		{ 0x180e, 0x180e }, { 0x2000, 0x200f }, { 0x2028, 0x202f },
		{ 0x205f, 0x2064 }, { 0x3000, 0x3000 }, { 0xfeff, 0xfeff },
	};
	uint32_t character = 0;
	size_t n, i;

	while (s.n) {
		n = utf8_character(s, &character);
		for (i = 0; i < COUNT(blanks); i++)
			if (character >= blanks[i].first && character <= blanks[i].last)
				break;
		if (!n || i == COUNT(blanks))
			return false;
		s = str_skip(s, n);
	}
	return true;
}

static void append_pair(struct buf *out, const unsigned char *p)
{
	uint32_t high = utf8_decode(p, 3), low = utf8_decode(p + 3, 3);
	char bytes[4] = "";

	buf_append(out, bytes,
		   utf8_encode(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), bytes));
}

static inline uint64_t no_character_alone(uint64_t word)
{
	return swar_equal(word, 0) | swar_beyond(word);
}

/*
 * Appends `p`, mended.  Returns how many bytes are settled; the rest, at most five, needs
 * what comes next.  `last`: nothing comes, all is settled.
 */
static HOT size_t mend(const unsigned char *p, size_t n, bool last, struct buf *out)
{
	size_t at = swar_skip((const char *)p, 0, n, no_character_alone), run = 0;
	struct utf8_part part;

	while (at < n) {
		if (p[at] && p[at] < 0x80) {
			at++;
			continue;
		}
		part = utf8_look(p + at, n - at);
		if (part.kind == UTF8_WHOLE && p[at]) {
			at += part.n;
			continue;
		}
		buf_append(out, p + run, at - run);
		if (!last && (part.kind == UTF8_CUT || part.kind == UTF8_CUT_HALF))
			return at;
		if (part.kind == UTF8_HIGH) {
			if (!last && utf8_low_may_come(p + at + 3, n - at - 3))
				return at;
			if (n - at >= 6 && utf8_look(p + at + 3, 3).kind == UTF8_LOW) {
				append_pair(out, p + at);
				at += 6;
				run = at;
				continue;
			}
		}
		buf_puts(out, "\xef\xbf\xbd");
		at += part.kind == UTF8_CUT_HALF ? 1 : part.n;
		run = at;
	}
	buf_append(out, p + run, at - run);
	return at;
}

void utf8_joiner_init(struct utf8_joiner *joiner)
{
	*joiner = (struct utf8_joiner){ .n = 0 };
}

HOT void utf8_joiner_feed(struct utf8_joiner *joiner, struct str piece, struct buf *out)
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
