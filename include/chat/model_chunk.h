/*
 * One object of an answer: which choice counts, what of it is the answer's text, whether it is an
 * error instead, what its finish reason means.  Where servers differ within an object, the
 * difference ends here.  For model_answer.c.  Rests on wire/json and wire/utf8.
 */
#ifndef CHAT_MODEL_CHUNK_H
#define CHAT_MODEL_CHUNK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "wire/json.h"
#include "wire/utf8.h"

/*
 * The choice that counts; absent: none here does. A lone one is the choice, whatever its index,
 * unless *several were asked for or came together before: then index 0 is, as where several stand
 * here, which sets *several. One without an index has 0.
 */
struct json_node model_chunk_choice(struct json_node chunk, bool *several);

/*
 * Appends the text of a delta or message, as its joiner lets it through: the content, or where that
 * has none, the refusal. False: neither says anything.
 */
bool model_chunk_text(struct json_node speech, struct utf8_joiner *joiner, struct buf *out);

/*
 * True if the chunk, or its choice, says that the server failed. `plain`: it is all that the server
 * answered.
 */
bool model_chunk_failed(struct json_node chunk, struct json_node choice, bool plain);

/*
 * How many of the prompt's tokens the server had kept from an earlier request, of a chunk's usage;
 * absent: it does not say.
 */
struct json_node model_chunk_cached(struct json_node usage);

/* The choice's finish reason; absent: it has none. */
struct str model_chunk_reason(struct json_node choice);
/* True for one that is there and is no word for none. */
bool model_chunk_ends(struct str reason);
/* True if the reason says that the answer broke off: what came is not all there was to come. */
bool model_chunk_broke(struct str reason);

#endif
