/*
 * The object that nearly every event of a stream is: a chunk that brings a piece of the answer, and
 * nothing else that counts.  Read where it lies; for model_answer.c, which takes every other object
 * apart with wire/json and model_chunk.  Rests on wire/json_scan.
 */
#ifndef CHAT_MODEL_TOKEN_H
#define CHAT_MODEL_TOKEN_H

#include <stdbool.h>

#include "base/str.h"

struct model_token {
	struct str content; /* as it stands between its quotes; "" if it brings none */
	bool escaped;	    /* ... where it is for json_scan_unescape() */
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
 * model_chunk would find in it: one choice whose delta has a content or none, and no end, no usage,
 * no error.  False: ask them.  `several`: as model_chunk_choice() has it.
 */
bool model_token_read(struct str text, bool several, struct model_token_frame *frame,
		      struct model_token *out);

#endif
