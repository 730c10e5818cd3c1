/*
 * SWAR: eight bytes of a text at once, in one word, for texts of which most bytes are plain. A mark is the
 * top bit of a byte that is meant; the lowest one is the first byte's, and always rightly set.
 */
#ifndef BASE_SWAR_H
#define BASE_SWAR_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SWAR_BYTES sizeof(uint64_t)
#define SWAR_ONES 0x0101010101010101u
#define SWAR_TOPS 0x8080808080808080u

/* Marks what is less than `c`, 0x80 at most. */
static inline uint64_t swar_below(uint64_t word, unsigned char c)
{
	return (word - SWAR_ONES * c) & ~word & SWAR_TOPS;
}

static inline uint64_t swar_equal(uint64_t word, unsigned char c)
{
	return swar_below(word ^ SWAR_ONES * c, 1);
}

/* Marks what is above ASCII. */
static inline uint64_t swar_beyond(uint64_t word)
{
	return word & SWAR_TOPS;
}

static inline uint64_t swar_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

/* Which byte the first mark is of. */
static inline size_t swar_first(uint64_t found)
{
	return (size_t)__builtin_ctzll(found) / 8;
}

/*
 * Where, from `at` on, the first byte lies that `marks` marks; `n` if none does. What is shorter than a
 * word is its caller's to look at: `at`.
 */
static inline __attribute__((always_inline)) size_t swar_skip(const char *p, size_t at, size_t n,
							      uint64_t (*marks)(uint64_t word))
{
	uint64_t found;

	if (n - at < SWAR_BYTES)
		return at;
	for (; n - at >= SWAR_BYTES; at += SWAR_BYTES) {
		found = marks(swar_word(p + at));
		if (found)
			return at + swar_first(found);
	}
	if (at == n)
		return n;
	/* The last word, less those of its bytes that were looked at. */
	found = marks(swar_word(p + n - SWAR_BYTES)) >> 8 * (SWAR_BYTES - (n - at));
	return found ? at + swar_first(found) : n;
}

#endif
