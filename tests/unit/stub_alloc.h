/*
 * Every call beneath us fails once, in turn ("torture"), and nothing that was allocated is left
 * behind. For the tests named …_torture, which the Makefile links with tests/torture/torture.c.
 */
#ifndef STUB_ALLOC_H
#define STUB_ALLOC_H

#include "unit.h"

#include "../torture/torture.h"

/*
 * Calls `one_round` until no call is left to fail: once with the first one failing, once with the
 * second, and so on, and a last time with none. Returns how many failed.
 */
static inline int64_t alloc_torture(void (*one_round)(bool failing))
{
	int64_t at;

	for (at = 1;; at++) {
		torture->count = 0;
		torture->fail_at = at;
		torture->alive = 0;
		one_round(true);
		torture->fail_at = 0;
		assert_int_equal(torture->alive, 0);
		if (torture->count < at)
			break;
	}
	torture->alive = 0;
	one_round(false);
	assert_int_equal(torture->alive, 0);
	if (at == 1)
		print_error("no call was seen: is this program linked with --wrap?\n");
	assert_true(at > 1);
	return at - 1;
}

#endif
