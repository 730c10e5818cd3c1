/* A stream of events as it comes: what is in it, and when. Bytes and times in, judgement out. */
#ifndef DOCTOR_STREAM_H
#define DOCTOR_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct stream_times {
	int tokens;
	int arrivals;	     /* moments at which tokens came */
	int64_t first, last; /* clock_ms() of the first and the last token */
	int64_t start;	     /* ... of the start; 0: none */
};

struct stream_view {
	struct buf line;
	struct stream_times times;
	bool done;   /* it ended well */
	bool failed; /* ... in an error event */
};

void stream_view_init(struct stream_view *view);
void stream_view_clear(struct stream_view *view);
/* The next bytes of an NDJSON stream, which came at `now`. */
void stream_view_feed(struct stream_view *view, struct str bytes, int64_t now);
/* One more token. */
void stream_times_token(struct stream_times *times, int64_t now);

/* How long the tokens took, first to last. */
static inline int64_t stream_spread(const struct stream_times *times)
{
	return times->last - times->first;
}

enum stream_pace {
	STREAM_FLOWS,
	STREAM_HELD,   /* all at once here, spread over time there */
	STREAM_BURSTS, /* in far fewer pieces here than there */
	STREAM_BRIEF,  /* the answer was over too quickly for anybody to tell */
};
/* How it came `here`, beside how it came nearer to its source; no tokens `there`: nobody saw that. */
enum stream_pace stream_compare(const struct stream_times *here, const struct stream_times *there);

#endif
