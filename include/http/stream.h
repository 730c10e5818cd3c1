/*
 * The reply as a sink: the only place where an exchange's events become bytes. As a stream, or as
 * one body at the end; in whose form, the reply's dialect says.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <stdbool.h>

#include "http/reply.h"

/*
 * From here on reply->sink takes events: each goes out as it comes, or (`stream` false) DONE as one
 * answer and ERROR with a status. `state` is the dialect's DIALECT_STATE bytes, borrowed until
 * reply_clear().
 */
void stream_begin(struct reply *reply, bool stream, void *state);

#endif
