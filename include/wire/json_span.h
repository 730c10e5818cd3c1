/*
 * Where in a document a value stands: its bytes as they were sent, which a parsed tree no longer
 * has.  For json.c, and for who passes members on as they are.
 */
#ifndef WIRE_JSON_SPAN_H
#define WIRE_JSON_SPAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * The bytes of the root's member of that name, the last of equal ones, without the white space
 * around it; absent if there is none.  `text` is an object that json_valid() takes; the result lies
 * in it.
 */
struct str json_span_member(struct str text, struct str name);
/*
 * Appends the root's members but those of the `count` names, each behind a comma, as they stand.
 * `text` as above.
 */
void json_span_others(struct str text, const char *const *names, size_t count, struct buf *out);
/*
 * Takes the first member, its comma included, off the front of what json_span_others() wrote, which
 * ends in NUL; *name is what stands between its quotes. False: there is none.
 */
bool json_span_take(struct str *members, struct str *name, struct str *member);

#endif
