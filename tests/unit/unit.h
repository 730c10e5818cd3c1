/* What every unit test needs: cmocka with what it wants included before, and texts compared with their lengths. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/count.h"
#include "base/status.h"
#include "base/str.h"

#define assert_str(s, literal) assert_same(s, STR(literal))
#define assert_same(a, b) unit_same(a, b, __FILE__, __LINE__)

static inline void unit_same(struct str a, struct str b, const char *file, int line)
{
	if (str_equal(a, b))
		return;
	print_error("\"%.*s\" is not \"%.*s\"\n", STR_ARGS(a), STR_ARGS(b));
	_fail(file, line);
}

/* A small generator of our own: the same numbers on every machine. */
static inline unsigned unit_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*state >> 33);
}

#endif
