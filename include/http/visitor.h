/*
 * A page's visitors (P1 to P4): what a request with a site key says of whom it is from, and what one
 * address may. Whether that is true, and what all may in a day, the database decides.
 */
#ifndef HTTP_VISITOR_H
#define HTTP_VISITOR_H

#include <stdbool.h>

#include "chat/store.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/route.h"

/* Of requests; the first of replies too. */
#define VISITOR_TOKEN "X-Visitor-Token"
#define VISITOR_IDENTITY "X-Visitor-Identity"

/*
 * True if pages of whatever origin may read the reply: it is to a site key, good or not, or to a
 * preflight where there may be one.
 */
bool visitor_may_ask(const struct request *request, const struct route_match *match);
/*
 * Fills in who it is, borrowed from the request. `token`: made for who has none, else "". What is sent
 * in another form than ours is taken as nobody's.
 */
void visitor_read(const struct request *request, struct store_visitor *out,
		  char token[KEY_TOKEN_SIZE]);
/* Counts an exchange of this address's, and a new visitor. False: too many, and the reply was sent. */
bool visitor_within(struct http_context *context, const struct request *request,
		    struct reply *reply, const struct store_visitor *visitor);
/* What began came near the day's cap of its chatbot: says so. */
void visitor_warn(const struct http_context *context, const struct store_begun *begun);

#endif
