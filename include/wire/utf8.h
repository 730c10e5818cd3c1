/*
 * UTF-8: checking, counting, and mending a text that arrives in pieces.  Bytes in, bytes out.
 * Valid means RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF.
 */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* True if `s` is valid UTF-8 as a whole; then *count (may be NULL) is its number of code points. */
bool utf8_valid(struct str s, size_t *count);
/*
 * The length in bytes, 1 to 4, of the valid character that `s` begins with; 0 if it begins with
 * none.
 */
size_t utf8_length(struct str s);
/*
 * True if nothing of `s` is to be seen: it is empty, or all white space (Unicode's White_Space),
 * control characters, and spaces and marks without a width.
 */
bool utf8_blank(struct str s);

/*
 * Joins the pieces of one text (S5).  A piece may end inside a character: in the middle of a
 * UTF-8 sequence, or after a high surrogate (which comes as its three-byte form ED A0..AF xx,
 * see json_parse_loose()); that half is held until the next piece shows its other half.  Two joined
 * surrogates become the one character.  U+0000 and what is no valid text become U+FFFD, one for
 * each maximal invalid part.  What is appended to `out` is always valid and whole.
 */
struct utf8_joiner {
	unsigned char held[6];
	size_t n;
};
void utf8_joiner_init(struct utf8_joiner *joiner);
void utf8_joiner_feed(struct utf8_joiner *joiner, struct str piece, struct buf *out);
/* The text ends: a half still held becomes U+FFFD. */
void utf8_joiner_end(struct utf8_joiner *joiner, struct buf *out);

#endif
