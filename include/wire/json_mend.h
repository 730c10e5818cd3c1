/*
 * What json-c reads otherwise than RFC 8259 does, written so that it reads it right.  For json.c.
 */
#ifndef WIRE_JSON_MEND_H
#define WIRE_JSON_MEND_H

#include "base/buf.h"
#include "base/str.h"

/*
 * Appends `text`, which json_valid_scan() takes, to `out` for json-c's eyes:
 *   a lone surrogate escape   its three bytes (json-c: U+FFFD, or a wrong character)
 *   a surrogate pair          its character (json-c: U+FFFD for some)
 *   U+0000 in a member's name a name no one asks for (json-c: the name ends there)
 *   an integer beyond int64_t a number with an exponent (json-c: the nearest integer that fits)
 *   NaN, Infinity             null (json-c: a number, or an error, by its case and sign)
 *   what lies too deep        null (json-c: an error)
 */
void json_mend(struct str text, struct buf *out);

#endif
