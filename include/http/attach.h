/*
 * Hearing an answer that runs already (L1 to L7): who lost their stream comes back, others listen too.
 * In whichever dialect the route names.
 */
#ifndef HTTP_ATTACH_H
#define HTTP_ATTACH_H

#include "chat/talks.h"
#include "http/exchange.h"
#include "http/route.h"

/* What is to be heard, from that byte on, and by whom. */
struct attach_wish {
	struct talks_reader reader;
	struct talks_choice choice;
	int64_t after;
};
/* Streams whatever runs in that conversation, as the reply's dialect has it; 204 where nothing does. */
void attach_hear(struct http_context *context, struct request *request, struct reply *reply,
		 const struct attach_wish *wish);
/* A route's handler: the conversation is the path's {conversation}. */
void attach_serve(struct http_context *context, struct request *request, struct reply *reply,
		  const struct route_match *match);

/*
 * An exchange that was not begun, since the same one runs (STORE_IN_PROGRESS), is listened to, where
 * its chatbot says so. False: it does not; no reply was sent.
 */
bool attach_repeat(struct exchange *exchange);

#endif
