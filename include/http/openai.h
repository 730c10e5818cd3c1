/* OpenAI's chat completions (O1 to O4), for clients that know no other API. */
#ifndef HTTP_OPENAI_H
#define HTTP_OPENAI_H

#include "http/dialect.h"
#include "http/route.h"

extern const struct dialect dialect_openai;

/* A route's handler: a workspace's chatbots, as a list of models. */
void openai_serve_models(struct http_context *context, struct request *request, struct reply *reply,
			 const struct route_match *match);

#endif
