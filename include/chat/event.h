/*
 * What comes up from an exchange. Nothing below a sink knows who is above it: the turn does not
 * know NDJSON, the model client does not know HTTP.
 */
#ifndef CHAT_EVENT_H
#define CHAT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

enum event_kind {
	EVENT_START, /* the exchange is recorded */
	EVENT_TOKEN, /* a piece of the answer */
	EVENT_DONE,  /* the whole answer is stored; committed */
	EVENT_ERROR, /* it ended without one */
};

/* All strings are borrowed for the call. */
struct event {
	enum event_kind kind;
	struct str conversation;  /* START, DONE */
	struct str message_id;	  /* START, DONE */
	struct str text;	  /* TOKEN: the piece; DONE: the whole */
	struct str finish_reason; /* DONE: the model's word; absent: it said none */
	bool stopped; /* DONE: somebody had it stopped; the whole is what came until then */
	int64_t tokens_in, tokens_out; /* DONE; -1: unknown */
	bool attached;		       /* told to who came later, with its number: */
	int64_t number;	 /* TOKEN, DONE: how many bytes of the answer were told with it */
	int64_t retry_s; /* ERROR: too much is asked of the model now; 0: it is another fault */
};

/*
 * Takes events; several may be taken before a flush, which sends them on. A sink whose client
 * has left answers STATUS_CLOSED, and goes on doing so.
 */
struct sink {
	enum status (*event)(struct sink *sink, const struct event *event) MUST_CHECK;
	enum status (*flush)(struct sink *sink) MUST_CHECK;
};

#endif
