/*
 * Takes a model's reasoning out of its answer's text, as the text comes (S11). For model_answer.c.
 * Pieces in, pieces out: what has nothing to do with a marker is handed on in the piece in which it
 * came, bytes that may be a marker's with the piece that decides (S4). Rests on model_markers;
 * knows no server and remembers nothing beyond one answer.
 */
#ifndef CHAT_MODEL_REASONING_H
#define CHAT_MODEL_REASONING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "chat/model.h"
#include "chat/model_markers.h"

enum reasoning_at {
	REASONING_BEGINNING, /* nothing but white space so far: a marker may stand here */
	REASONING_BEHIND,    /* a marker was taken out, and the white space behind it is */
	REASONING_TEXT,
	REASONING_HIDDEN,   /* within a block: nothing of it is kept */
	REASONING_WITHHELD, /* text that is reasoning if a closing mark comes, else the answer */
};

struct model_reasoning {
	/* Set before an answer; a reset leaves them. */
	enum model_reasoning_mode mode;
	bool whole;   /* what was handed on can be taken back */
	bool learned; /* the mode is a guess from earlier answers: what has no mark is an answer */

	enum reasoning_at at;
	const struct marker_block *block; /* hidden: which; of text: its wrapping; NULL: none */
	char held[MARKER_MOST];
	size_t n;	     /* of `held` */
	char before;	     /* the byte of text before `held` */
	struct buf out;	     /* of this piece */
	struct buf withheld; /* its cap is an answer's */
	bool handed;	     /* text was handed on, and stands */
	bool take_back;	     /* ... and was reasoning: said with this piece */
	bool marked;	     /* a marker was taken out: a closing mark behind it is text */
	bool lone;	     /* a closing mark came without an opening one */
	bool speaks;	     /* the text speaks of marks: a closing one is a word of it */
	bool untold;	     /* what was withheld ended without a closing mark, and went on */
};

/* `most`: bytes that an answer may have. */
void model_reasoning_init(struct model_reasoning *reasoning, size_t most);
void model_reasoning_clear(struct model_reasoning *reasoning);
/* Forgets the answer before. */
void model_reasoning_reset(struct model_reasoning *reasoning);

/*
 * The next piece of text, whole characters. `sink` is called once for what goes on, not at all if
 * that is nothing; with `whole`, an absent text before it takes back all that went on so far.
 * STATUS_NOMEM, or what `sink` returned.
 */
enum status model_reasoning_feed(struct model_reasoning *reasoning, struct str text,
				 model_text_fn sink, void *context) MUST_CHECK;
/*
 * No more text comes: what is still held is decided. `cut`: the answer ended at its limit, so what
 * is withheld is reasoning that was not over, unless that was a guess. As model_reasoning_feed();
 * STATUS_NOMEM is also text that was withheld and is longer than an answer may be.
 */
enum status model_reasoning_end(struct model_reasoning *reasoning, bool cut, model_text_fn sink,
				void *context) MUST_CHECK;
/* True if reasoning came, and no text but it. */
bool model_reasoning_only(const struct model_reasoning *reasoning);

#endif
