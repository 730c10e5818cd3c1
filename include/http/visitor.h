/*
 * A page's visitors (P1 to P3): what a request with a site key says of whom it is from. Whether that is
 * true the database decides.
 */
#ifndef HTTP_VISITOR_H
#define HTTP_VISITOR_H

#include <stdbool.h>

#include "chat/store.h"
#include "http/request.h"
#include "http/route.h"

/* Of requests; the first of replies too. */
#define VISITOR_TOKEN "X-Visitor-Token"
#define VISITOR_IDENTITY "X-Visitor-Identity"

/* True if a page may ask here with what is presented as a key. */
bool visitor_key(const struct route_match *match, struct str text);
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

#endif
