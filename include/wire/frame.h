/*
 * Writing: JSON objects alone, as NDJSON lines, or as SSE events. Values in, bytes out.
 * No text can break the framing: besides what RFC 8259 demands, DEL, U+0080 to U+009F, U+2028 and U+2029
 * are escaped, since some readers take some for line ends, and terminals obey others. Strings must be
 * valid UTF-8.
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum frame_style {
	FRAME_JSON,   /* {...} */
	FRAME_NDJSON, /* {...}\n */
	FRAME_SSE,    /* data: {...}\n\n */
};

/* One object: begin, members, end. Failures stick in `out` (buf_check). */
struct frame {
	struct buf *out;
	enum frame_style style;
	bool first;
};
void frame_begin(struct frame *frame, struct buf *out, enum frame_style style);
void frame_end(struct frame *frame);

/* Members of the innermost open object. */
void frame_string(struct frame *frame, const char *name, struct str value);
void frame_integer(struct frame *frame, const char *name, int64_t value);
void frame_boolean(struct frame *frame, const char *name, bool value);
/* `json` goes in as it is: the caller vouches that it is one valid value without raw line ends. */
void frame_raw(struct frame *frame, const char *name, struct str json);
/* Members as they stand, a constant of many events: the same holds. */
void frame_members(struct frame *frame, struct str members);
void frame_open(struct frame *frame, const char *name);	      /* "name":{ */
void frame_close(struct frame *frame);			      /* } */
void frame_open_array(struct frame *frame, const char *name); /* "name":[ */
void frame_open_element(struct frame *frame);		      /* { of an array's next object */
void frame_close_array(struct frame *frame);		      /* ] */

/* An object of one member. */
void frame_one(struct buf *out, enum frame_style style, const char *name, struct str value);

/* A heartbeat (S6): what may lie between two objects and says nothing. */
#define FRAME_NDJSON_BEAT "\n" /* an empty line */
/* A comment line alone: what an empty line ends is an event, without data, for many a reader. */
#define FRAME_SSE_BEAT ":\n"

/* A JSON string with its quotes. */
void frame_quote(struct buf *out, struct str value);

#endif
