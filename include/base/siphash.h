/*
 * SipHash-2-4 with 128 bits of result: a name of fixed size for a text.  Keyed, so that nobody
 * outside can choose texts that fall together.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct siphash {
	uint64_t low, high;
};

struct siphash siphash_of(const uint64_t key[2], struct str bytes);

static inline bool siphash_equal(struct siphash a, struct siphash b)
{
	return a.low == b.low && a.high == b.high;
}

#endif
