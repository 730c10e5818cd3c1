/* GET /v1/openapi.json (G12): what this API is, for programs that make clients and pages of it. */
#ifndef HTTP_DESCRIPTION_H
#define HTTP_DESCRIPTION_H

#include "http/route.h"

/* The handler of the route. */
void description_serve(struct http_context *context, struct request *request, struct reply *reply,
		       const struct route_match *match);

#endif
