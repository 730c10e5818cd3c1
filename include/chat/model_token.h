/*
 * The objects that nearly all events of a stream are: a chunk that brings a piece of the answer, the
 * one that ends it, and the one that counts its tokens.  Read where they lie; for model_answer.c,
 * which takes every other object apart with wire/json and model_chunk.  Rests on wire/json_scan.
 */
#ifndef CHAT_MODEL_TOKEN_H
#define CHAT_MODEL_TOKEN_H

#include <stdbool.h>

#include "base/str.h"

struct model_token {
	struct str content; /* as it stands between its quotes; "" if it brings none */
	bool escaped;	    /* ... where it is for json_scan_unescape() */
	struct str reason;  /* the finish reason, as it stands; "" if there is none */
	struct str usage;   /* the whole object, for json_parse_loose(); absent if there is none */
};

#define MODEL_TOKEN_FRAME 1024

/*
 * What stood around the content of the last token. A server repeats it, mostly byte for byte, and then
 * only the content has to be looked at. Zeroed: there was none.
 */
struct model_token_frame {
	char bytes[MODEL_TOKEN_FRAME]; /* up to the opening quote, and from the closing one on */
	size_t before, behind;
	bool several;
};

/*
 * True if `text`, without white space around it, is one: then *out is all that json_parse_loose() and
 * model_chunk would find in it: one choice whose delta has a content or none, or no choice but a
 * usage; and no error.  False: ask them.  `several`: as model_chunk_choice() has it.
 */
bool model_token_read(struct str text, bool several, struct model_token_frame *frame,
		      struct model_token *out);

#endif
