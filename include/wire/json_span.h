/*
 * Where in a document a value stands: its bytes as they were sent, which a parsed tree no longer
 * has.  For json.c.
 */
#ifndef WIRE_JSON_SPAN_H
#define WIRE_JSON_SPAN_H

#include "base/str.h"

/*
 * The bytes of the root's member of that name, the last of equal ones, without the white space
 * around it; absent if there is none.  `text` is an object that json_valid() takes; the result lies
 * in it.
 */
struct str json_span_member(struct str text, struct str name);

#endif
