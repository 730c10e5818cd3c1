/* GET /metrics and /status: what the pool counted and what it does now, on the status listener. */
#ifndef HTTP_SHOWN_H
#define HTTP_SHOWN_H

#include "http/route.h"

/* The handler of both routes. */
void shown_serve(struct http_context *context, struct request *request, struct reply *reply,
		 const struct route_match *match);

#endif
