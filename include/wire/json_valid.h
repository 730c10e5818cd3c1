/*
 * The grammar of RFC 8259, in one pass and without recursion.  For json.c: everyone else asks
 * json_valid(), json_parse() or json_parse_loose().
 */
#ifndef WIRE_JSON_VALID_H
#define WIRE_JSON_VALID_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define JSON_LOOSE_DEPTH 64
/* json-c needs some 700 bytes for the smallest object: of a strict text its caller may say how many. */
#define JSON_LOOSE_VALUES 100000
#define JSON_ANY_VALUES UINT_MAX

/*
 * Strict: what json_valid() says.  Loose: what json_parse_loose() says.
 * *odd (may be NULL) is set to whether the text holds something that json-c reads otherwise than
 * RFC 8259 does: a lone surrogate, a pair that it misreads, U+0000, an integer that may be too
 * big, what is no number, what lies too deep. A text of more than `most` values is none.
 */
bool json_valid_scan(struct str text, bool loose, unsigned most, bool *odd);

/* The number of four hexadecimal digits at `p`; -1 if they are none. */
int json_valid_hex4(const char *p);

/* The character of a surrogate pair. */
static inline uint32_t json_valid_pair(int high, int low)
{
	return 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
}

/*
 * Of a surrogate pair's character, whether json-c 0.16 takes it for a lone surrogate: it looks at
 * the lower 16 bits alone (U+1D800, U+2D800 and so on; among them ideographs in use).
 */
static inline bool json_valid_misread(uint32_t c)
{
	return (c & 0xf800) == 0xd800;
}

/*
 * The length of a NaN or Infinity that the text begins with, in any case and with a sign or none, as
 * programs write what is no number; 0: of none.
 */
size_t json_valid_no_number(struct str text);
/*
 * The length of the array or object that the text begins with, told by its brackets and quotes
 * alone; 0: it does not end.
 */
size_t json_valid_skip(struct str text);

#endif
