/* Whether a model's server said no because the messages were too long for it.  For model.c. */
#ifndef CHAT_MODEL_REFUSAL_H
#define CHAT_MODEL_REFUSAL_H

#include <stdbool.h>

#include "base/str.h"

/* More of an error's body than this says nothing new. */
#define MODEL_REFUSAL_CAP 16384

/* True for the HTTP statuses whose body is worth reading to tell. */
bool model_refusal_readable(int http);
/* `body`: the error as it came, whole or its beginning. `http` 200: it came as an event of a stream. */
bool model_refusal_too_long(int http, struct str body);

#endif
