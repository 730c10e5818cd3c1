/*
 * Server-sent events, incrementally (WHATWG HTML, section 9.2.6): bytes in, events out.
 * LF, CR LF and CR end lines, wherever the bytes are cut; comments and unknown fields are
 * skipped; several `data` lines of one event are joined by LF; a BOM at the very start is skipped.
 */
#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* How far a JSON object has come, told by its brackets and quotes alone. */
struct sse_object {
	bool begun; /* something but white space came */
	bool is;    /* ... and it was a brace */
	bool string, escaped;
	size_t depth;
};

struct sse {
	struct buf line; /* the unfinished line */
	struct buf data;
	struct buf type;
	bool has_data;
	bool after_cr;
	bool started;
	bool last;		  /* an empty line follows this one */
	bool objects;		  /* of sse_init_objects() */
	struct sse_object object; /* ... what `data` holds of one */
	bool bare;		  /* ... which came without its field's name */
};

/* `type` is "" where the event has none. Both are borrowed for the call. A result other than
 * STATUS_OK ends sse_feed() with it. */
typedef enum status (*sse_event_fn)(void *context, struct str type, struct str data);

/* No line and no event may be longer than `cap` bytes. */
void sse_init(struct sse *sse, size_t cap);
/*
 * ... of a server whose events are JSON objects, and that writes them as servers do:
 *   the line that completes an event's object ends the event (some send one line feed between
 *   events); so does a line that begins none, where the event has no type;
 *   a line that begins with a brace is data without its name, up to the line that completes it: an
 *   error within a stream, or a whole answer that is none;
 *   the field `error` is an event of that type.
 */
void sse_init_objects(struct sse *sse, size_t cap);
void sse_clear(struct sse *sse);
/*
 * Feeds the next bytes; calls `event` for every event that an empty line ended (never for one
 * without data). STATUS_NOMEM: beyond the cap, or no memory; or what `event` returned. After
 * either only sse_clear() makes sense.
 */
enum status sse_feed(struct sse *sse, struct str bytes, sse_event_fn event,
		     void *context) MUST_CHECK;
/*
 * The stream ended: an event that no empty line ended is given too (the standard drops it, but
 * servers do end so, and dropping text is worse). Same results.
 */
enum status sse_end(struct sse *sse, sse_event_fn event, void *context) MUST_CHECK;

#endif
