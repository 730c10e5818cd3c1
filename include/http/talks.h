/* Reading conversations back (R1). */
#ifndef HTTP_TALKS_H
#define HTTP_TALKS_H

#include "chat/talks.h"
#include "http/route.h"

/* Of requests: a widget key's session, which stands in no address. */
#define TALKS_SESSION "X-Session-Id"

/* The reply to what was read. */
void talks_say(struct http_context *context, const struct request *request, struct reply *reply,
	       enum status status, const struct talks_read *read);

/* A route's handlers: the conversations, and the messages of the one that {conversation} names. */
void talks_serve_list(struct http_context *context, struct request *request, struct reply *reply,
		      const struct route_match *match);
void talks_serve_messages(struct http_context *context, struct request *request,
			  struct reply *reply, const struct route_match *match);
/* Erases the one that {conversation} names (R3). */
void talks_serve_delete(struct http_context *context, struct request *request, struct reply *reply,
			const struct route_match *match);
/* Keeps what is said of the answer that {message} names (R4). */
void talks_serve_feedback(struct http_context *context, struct request *request,
			  struct reply *reply, const struct route_match *match);

/* Ends what runs in the one that {conversation} names (R5). */
void talks_serve_stop(struct http_context *context, struct request *request, struct reply *reply,
		      const struct route_match *match);

#endif
