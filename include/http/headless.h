/* The headless API: one widget or front end (H1 to H4). */
#ifndef HTTP_HEADLESS_H
#define HTTP_HEADLESS_H

#include <stdbool.h>

#include "http/dialect.h"

extern const struct dialect dialect_headless;

#define HEADLESS_SESSION_MAX 128
/* True for a session's name (H2). */
bool headless_session_valid(struct str session);
/* For a dialect's `read`: takes it, if it is one. */
void headless_take_session(struct exchange *exchange, struct str session);

/* A dialect's put_error: {"error":WORDS}. */
void headless_put_error(struct buf *out, enum http_error error, int64_t retry_s);

#endif
