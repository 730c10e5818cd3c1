/*
 * The grammar of RFC 8259 as a place that moves through a text, without recursion and without memory
 * of its own.  For json_valid.c, which goes through the whole; and for who looks for one shape in what
 * json_parse() would take, to spare it that.
 */
#ifndef WIRE_JSON_SCAN_H
#define WIRE_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct json_scan {
	const char *p; /* the next byte */
	const char *end;
	uint64_t objects; /* bit n: what is open at depth n + 1 is an object */
	unsigned depth;
	unsigned most;
	unsigned values, values_most;
	bool loose;
	bool odd;     /* as json_valid_scan() says */
	bool escaped; /* the last string holds an escape */
};

/* At the beginning of a text, which is borrowed; read strictly or loosely, as json_valid_scan() says. */
void json_scan_begin(struct json_scan *scan, struct str text, bool loose);

static inline void json_scan_space(struct json_scan *scan)
{
	while (scan->p < scan->end &&
	       (*scan->p == ' ' || *scan->p == '\n' || *scan->p == '\r' || *scan->p == '\t'))
		scan->p++;
}

/* Passes that byte, if it is the next one. */
static inline bool json_scan_take(struct json_scan *scan, char c)
{
	if (scan->p == scan->end || *scan->p != c)
		return false;
	scan->p++;
	return true;
}

/*
 * Each passes what it is named after and is false if that is not the next thing, or is not valid; where
 * it then stands says nothing.
 */

/* A string; *raw is what stands between its quotes. */
bool json_scan_string(struct json_scan *scan, struct str *raw);
/* Any value, and the white space before and behind it. */
bool json_scan_value(struct json_scan *scan);

/* Appends what a string means that was read strictly. */
void json_scan_unescape(struct str raw, struct buf *out);
/*
 * The character behind a backslash at `p`, as the `n` bytes of its UTF-8; returns behind the escape,
 * which must be one of a strict text.
 */
const char *json_scan_escape(const char *p, char out[4], size_t *n);

#endif
