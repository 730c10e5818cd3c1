/*
 * What the end of a transfer is to whoever asked a model, and its words for the log. For model.c.
 */
#ifndef CHAT_MODEL_FAILURE_H
#define CHAT_MODEL_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

#include "chat/model.h"
#include "edge/http_end.h"
#include "wire/model_server.h"

enum model_failure_kind model_failure_kind_of(enum http_end end);
/*
 * The words of an end that one of our own limits made, with the setting of that server to change,
 * into `cause`. False: it was none of them.
 */
bool model_failure_late(enum http_end end, const struct model_server *server, char *cause,
			size_t size);

#endif
