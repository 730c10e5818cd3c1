/*
 * The markers that models put around their reasoning, and around the answer behind it: one table,
 * and what a few bytes may be of it.  For model_reasoning.c, which says where a marker counts.
 * Bytes in, a finding out: keeps nothing.
 */
#ifndef CHAT_MODEL_MARKERS_H
#define CHAT_MODEL_MARKERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "base/swar.h"

/* No marker, with the white space within, is longer: more bytes that decide nothing are text. */
#define MARKER_MOST 192

/* What stands between two markers. */
struct marker_block {
	struct str open;
	struct str close[3]; /* one of these; absent: fewer */
	bool answer;	     /* it is the answer, in wrapping */
};

enum marker_is {
	MARKER_NONE,  /* the bytes begin with none */
	MARKER_PART,  /* they may yet */
	MARKER_OPEN,  /* of `block` */
	MARKER_CLOSE, /* the end of a block */
};

/* True if a marker may begin with this byte: asked for every byte of an answer. */
static inline bool marker_first(char byte)
{
	return byte == '<' || byte == '[' || byte == '\xe2';
}

/* The same of eight bytes: see base/swar.h. */
static inline uint64_t marker_firsts(uint64_t word)
{
	return swar_equal(word, '<') | swar_equal(word, '[') | swar_equal(word, 0xe2);
}

/* What bytes begin with: the first `n` of them. */
struct marker {
	enum marker_is is;
	size_t n;
	const struct marker_block *block;
};

/*
 * The marker that opens a block. `behind`: another block ended before it, so that the answer's
 * wrapping may follow.
 */
struct marker marker_open(struct str bytes, bool behind);
/* The same for harmony's messages only: the final one is an answer. */
struct marker marker_open_message(struct str bytes);
/* The end of that block. `block` NULL: of any block of reasoning that has one mark for its end. */
struct marker marker_close(struct str bytes, const struct marker_block *block);

#endif
