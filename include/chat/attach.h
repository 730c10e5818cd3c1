/*
 * Hearing an answer that another process gives: what came so far and what comes, by base/broadcast
 * where that process is of this pool; else nothing until it has ended, then what was stored. What
 * became of it, the database says in any case. No exchange: nothing is written, nothing is charged.
 */
#ifndef CHAT_ATTACH_H
#define CHAT_ATTACH_H

#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "chat/event.h"
#include "chat/talks.h"
#include "chat/turn.h"

struct attach {
	const struct turn_context *context;
	int64_t workspace;
	int64_t after; /* what lies before that byte of the answer was heard; within a character: before it */
	bool numbered;		    /* its events say their numbers */
	bool whole;		    /* its client wants the end alone, in time */
	struct talks_status answer; /* as it was told first; borrowed */
	/* From attach_open() on: */
	struct broadcast_listener listener;
	struct buf piece;
	size_t told; /* bytes of the answer */
	enum turn_end end;
	const char *cause; /* of a failure, for the log; "" if none */
	unsigned tokens;   /* pieces passed on */
};

/*
 * The caller has filled in what stands first. STATUS_REFUSED: as many listen to that answer as may.
 * To be closed in any case.
 */
enum status attach_open(struct attach *attach) MUST_CHECK;
/*
 * Events go to `sink`, the last of them DONE or ERROR. STATUS_CLOSED: its client left; STATUS_TIMEOUT:
 * it is one for `whole`, and `limit_ms` is over. There was no last one then.
 */
enum status attach_play(struct attach *attach, struct sink *sink, int64_t limit_ms) MUST_CHECK;
void attach_close(struct attach *attach);

#endif
