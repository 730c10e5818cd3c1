/*
 * The JSON of answers, true to OpenAI's in every member: whole documents, and the parts that the
 * chunks of a stream are joined from. All of these add to `out`.
 */
#ifndef MODEL_CHUNK_H
#define MODEL_CHUNK_H

#include "ask.h"
#include "script.h"
#include "text.h"

/* A chunk's beginning, up to the members of its delta. */
void chunk_head(struct text *out, const struct ask *ask);
/* Its end, from the delta's closing brace on; `finish` is JSON. */
void chunk_tail(struct text *out, const struct ask *ask, const char *finish);
/* The last chunk: no choices, but the usage. `head` is what chunk_head made. */
void chunk_usage(struct text *out, const struct ask *ask, const struct script *script,
		 const struct text *head);

/* An answer that is no stream, up to the inside of its content, and from there on. */
void chunk_plain_head(struct text *out, const struct ask *ask);
void chunk_plain_tail(struct text *out, const struct ask *ask, const struct script *script);

/* The finish reason as JSON. */
void chunk_finish(struct text *out, const struct script *script);
/* The script's error object, or a common one. */
void chunk_error(struct text *out, const struct script *script);

#endif
