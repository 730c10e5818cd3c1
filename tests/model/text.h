/*
 * A growing byte string. A failed append makes it sticky: check text_ok() once, before use.
 */
#ifndef MODEL_TEXT_H
#define MODEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

struct text {
	char *data; /* NUL-terminated once anything was added; NULL before */
	size_t len;
	size_t size;
	bool failed;
};

/* Frees the bytes; the text is empty and usable again. */
void text_clear(struct text *text);
/* Forgets the bytes, keeps the storage. */
void text_reset(struct text *text);
bool text_ok(const struct text *text);

void text_add(struct text *text, const void *data, size_t len);
void text_puts(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) PRINTS(2, 3);
/* Adds the inside of a JSON string: quotes, backslashes, control bytes escaped, all else as is. */
void text_json(struct text *text, const char *data, size_t len);
/* Adds what the base64 stands for. STATUS_INVALID: it is none (whitespace is none either). */
enum status text_base64(struct text *text, const char *data, size_t len) MUST_CHECK;

/* Gives the bytes away, to be freed by the caller; NULL if an append failed. Never NULL for "". */
char *text_take(struct text *text);

#endif
