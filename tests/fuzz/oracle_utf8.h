/* UTF-8 by the Unicode standard's table 3-7, as a table: what wire/utf8 is compared with. */
#ifndef ORACLE_UTF8_H
#define ORACLE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct oracle_utf8 {
	size_t n; /* bytes that belong together: a whole sequence, or as far as one is right; at least 1 */
	bool whole;    /* a sequence, a surrogate's three bytes among them */
	uint32_t code; /* its code point */
};

/* What `text`, which is not empty, begins with. */
struct oracle_utf8 oracle_utf8(struct str text);
bool oracle_utf8_surrogate(uint32_t code);

#endif
