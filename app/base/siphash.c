/* SipHash-2-4-128, after Aumasson and Bernstein.  Bytes in, a number out. */
#include "base/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t turn_left(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void rounds(struct state *s, int n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v1 = turn_left(s->v1, 13) ^ s->v0;
		s->v0 = turn_left(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = turn_left(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = turn_left(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = turn_left(s->v1, 17) ^ s->v2;
		s->v2 = turn_left(s->v2, 32);
	}
}

static void take(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

static uint64_t result(struct state *s, uint64_t *mark, uint64_t flip)
{
	*mark ^= flip;
	rounds(s, 4);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

struct siphash siphash_of(const uint64_t key[2], struct str bytes)
{
	struct state s = {
		.v0 = key[0] ^ 0x736f6d6570736575,
		.v1 = key[1] ^ 0x646f72616e646f6d ^ 0xee,
		.v2 = key[0] ^ 0x6c7967656e657261,
		.v3 = key[1] ^ 0x7465646279746573,
	};
	uint64_t word, last = (uint64_t)bytes.n << 56;
	struct siphash hash;

	for (; bytes.n >= sizeof(word); bytes = str_skip(bytes, sizeof(word))) {
		memcpy(&word, bytes.p, sizeof(word));
		take(&s, le64toh(word));
	}
	while (bytes.n) {
		bytes.n--;
		last |= (uint64_t)(unsigned char)bytes.p[bytes.n] << (8 * bytes.n);
	}
	take(&s, last);
	hash.low = result(&s, &s.v2, 0xee);
	hash.high = result(&s, &s.v1, 0xdd);
	return hash;
}
