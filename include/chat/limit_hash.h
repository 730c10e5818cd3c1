/*
 * SipHash-2-4 with 128 bits of result, over a kind and a name.  Keyed, so that nobody outside can
 * choose names that fall together.  For limit_table alone.
 */
#ifndef CHAT_LIMIT_HASH_H
#define CHAT_LIMIT_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct limit_hash {
	uint64_t low, high;
};

struct limit_hash limit_hash(const uint64_t key[2], struct str bytes);

static inline bool limit_hash_equal(struct limit_hash a, struct limit_hash b)
{
	return a.low == b.low && a.high == b.high;
}

#endif
