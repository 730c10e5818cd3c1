/* What our own dialects have in common: the events of H3, which B2 takes over. */
#include "http/dialect.h"

#include <inttypes.h>

#include "base/hot.h"

HOT void dialect_begin_event(struct frame *frame, struct buf *out, enum frame_style style,
			     const struct event *event)
{
	static const struct {
		struct str type;  /* the member as it stands: a constant, written for every token */
		const char *text; /* the member; NULL: it has none */
	} rows[] = {
		[EVENT_START] = { STR("\"type\":\"start\""), NULL },
		[EVENT_TOKEN] = { STR("\"type\":\"token\""), "token" },
		[EVENT_DONE] = { STR("\"type\":\"done\""), "message" },
		[EVENT_ERROR] = { STR("\"type\":\"error\""), NULL },
	};

	bool numbered = event->attached && rows[event->kind].text;

	if (numbered && style == FRAME_SSE)
		buf_printf(out, "id: %" PRId64 "\n", event->number);
	frame_begin(frame, out, style);
	frame_members(frame, rows[event->kind].type);
	if (numbered && style != FRAME_SSE)
		frame_integer(frame, "number", event->number);
	if (rows[event->kind].text)
		frame_string(frame, rows[event->kind].text, event->text);
}
