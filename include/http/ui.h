/* The AI SDK's UI message stream (U1 to U5), which useChat and assistant-ui read. */
#ifndef HTTP_UI_H
#define HTTP_UI_H

#include "http/dialect.h"
#include "http/route.h"

extern const struct dialect dialect_ui;

/* A route's handler: the answer that runs in what its client calls {session}, from its beginning; 204: none. */
void ui_serve_stream(struct http_context *context, struct request *request, struct reply *reply,
		     const struct route_match *match);

#endif
