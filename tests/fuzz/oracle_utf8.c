#include "oracle_utf8.h"

#include <stddef.h>

#include "base/count.h"

struct oracle_utf8 oracle_utf8(struct str text)
{
	static const struct {
		unsigned char from, to;	      /* the first byte */
		unsigned char n, least, most; /* the bytes in all, and the second one */
		unsigned char bits;	      /* of the first one that count */
	} rows[] = {
		{ 0x00, 0x7f, 1, 0x00, 0x00, 0x7f }, { 0xc2, 0xdf, 2, 0x80, 0xbf, 0x1f },
		{ 0xe0, 0xe0, 3, 0xa0, 0xbf, 0x0f }, { 0xe1, 0xef, 3, 0x80, 0xbf, 0x0f },
		{ 0xf0, 0xf0, 4, 0x90, 0xbf, 0x07 }, { 0xf1, 0xf3, 4, 0x80, 0xbf, 0x07 },
		{ 0xf4, 0xf4, 4, 0x80, 0x8f, 0x07 },
	};
	const unsigned char *p = (const unsigned char *)text.p;
	struct oracle_utf8 part = { .n = 1 };
	unsigned char least, most;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (p[0] >= rows[i].from && p[0] <= rows[i].to)
			break;
	if (i == COUNT(rows))
		return part;
	part.code = p[0] & rows[i].bits;
	for (; part.n < rows[i].n && part.n < text.n; part.n++) {
		least = part.n == 1 ? rows[i].least : 0x80;
		most = part.n == 1 ? rows[i].most : 0xbf;
		if (p[part.n] < least || p[part.n] > most)
			break;
		part.code = part.code << 6 | (p[part.n] & 0x3f);
	}
	part.whole = part.n == rows[i].n;
	return part;
}

bool oracle_utf8_surrogate(uint32_t code)
{
	return code >= 0xd800 && code <= 0xdfff;
}
