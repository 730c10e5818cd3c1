/*
 * An answer as its bytes come: a stream of chunks, or one JSON object, becomes pieces of text, a
 * finish reason and a usage.  Providers' quirks end here.  For model.c.  Knows no HTTP; rests on
 * chat/model_token, chat/model_chunk, wire/sse, wire/json and wire/utf8.
 */
#ifndef CHAT_MODEL_ANSWER_H
#define CHAT_MODEL_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "chat/model.h"
#include "chat/model_reasoning.h"
#include "chat/model_token.h"
#include "wire/sse.h"
#include "wire/utf8.h"

enum model_shape {
	MODEL_UNSEEN, /* nothing but white space so far */
	MODEL_STREAM, /* server-sent events */
	MODEL_PLAIN,  /* one JSON object, as without "stream" */
};

struct model_answer {
	enum model_shape shape;
	struct sse sse;
	struct utf8_joiner joiner;
	struct buf text;    /* one delta, mended */
	struct buf content; /* ... as it was sent, where its escapes had to be read */
	struct model_token_frame frame;
	struct model_reasoning reasoning;
	struct buf reason;
	struct buf
		refusal; /* what the server said of its failure, to be judged, never to be shown */
	bool several;	 /* choices were asked for, or came together */
	bool done;	 /* [DONE] came: nothing behind it counts */
	bool whole;	 /* a plain answer came, which needs no reason to be one */
	bool spoke;	 /* a delta had text */
	uint64_t came, most; /* bytes read of it, whatever they are, and how many may be */
	int64_t tokens_in, tokens_out; /* -1: not said */
	int64_t tokens_cached;	       /* of tokens_in; -1: not said */
	const char *cause;	       /* of a failure: a constant; NULL: none */
	model_text_fn sink;
	void *sink_context;
};

/* `most`: bytes that an answer may have. */
void model_answer_init(struct model_answer *answer, size_t most);
void model_answer_clear(struct model_answer *answer);
/*
 * Forgets the answer before. `several`: the request asks for several choices. How the next one's
 * reasoning is taken stays as it is.
 */
void model_answer_reset(struct model_answer *answer, bool several);
/* Nothing more is fed: memory that was for its bytes alone is freed. What it told stays. */
void model_answer_slim(struct model_answer *answer);

/*
 * The next bytes; `sink` is called for each delta with text.
 *   STATUS_OK
 *   STATUS_REFUSED  the server said that it failed: model_answer_refusal()
 *   STATUS_INVALID  not the protocol, or without an end
 *   STATUS_NOMEM    no memory, or beyond what an event may have
 *   or what `sink` returned
 */
enum status model_answer_feed(struct model_answer *answer, struct str bytes, model_text_fn sink,
			      void *context) MUST_CHECK;
/* True once no more bytes are needed, though they may come. */
bool model_answer_done(const struct model_answer *answer);
/*
 * True if the server has said why it ended: without more it is whole too. More text takes that back.
 */
bool model_answer_finished(const struct model_answer *answer);
/*
 * The server's words where it said that it failed, at most MODEL_REFUSAL_CAP bytes: JSON, or whatever
 * stood in its place; "" if it did not. Borrowed until model_answer_reset().
 */
struct str model_answer_refusal(const struct model_answer *answer);
/*
 * No more bytes come; `cut`: more should have, so what of an event is here says nothing. As
 * model_answer_feed(); STATUS_UNAVAILABLE: it ended in the middle.
 */
enum status model_answer_end(struct model_answer *answer, bool cut, model_text_fn sink,
			     void *context) MUST_CHECK;

#endif
