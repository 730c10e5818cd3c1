/*
 * Why a model's server said no, as far as its words tell: the messages were too long for it, or it
 * does not take a member of the request.  For model.c.
 */
#ifndef CHAT_MODEL_REFUSAL_H
#define CHAT_MODEL_REFUSAL_H

#include <stdbool.h>

#include "base/str.h"

/* More of an error's body than this says nothing new. */
#define MODEL_REFUSAL_CAP 16384

/* True for the HTTP statuses whose body is worth reading to tell. */
bool model_refusal_readable(int http);
/*
 * `body`: the error as it came, whole or its beginning. `http` 200: it came as an event of a
 * stream.
 */
bool model_refusal_too_long(int http, struct str body);

/*
 * The members (bits of enum model_member) that the server's error says it does not take; 0: none.
 * A value that is too large, as far as the words tell, is no such thing.
 */
unsigned model_refusal_members(int http, struct str body);

#endif
