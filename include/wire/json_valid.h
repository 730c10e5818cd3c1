/*
 * The grammar of RFC 8259, in one pass and without recursion.  For json.c: everyone else asks
 * json_valid(), json_parse() or json_parse_loose().
 */
#ifndef WIRE_JSON_VALID_H
#define WIRE_JSON_VALID_H

#include <stdbool.h>

#include "base/str.h"

#define JSON_LOOSE_DEPTH 64
/* json-c needs some 700 bytes for the smallest object: what a strict text's length bounds anyway. */
#define JSON_LOOSE_VALUES 100000

/*
 * Strict: what json_valid() says.  Loose: what json_parse_loose() says.
 * *odd (may be NULL) is set to whether the text holds something that json-c reads otherwise than
 * RFC 8259 does: a lone surrogate, U+0000, an integer that may be too big.
 */
bool json_valid_scan(struct str text, bool loose, bool *odd);

/* The number of four hexadecimal digits at `p`; -1 if they are none. */
int json_valid_hex4(const char *p);

#endif
