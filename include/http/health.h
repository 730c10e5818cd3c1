/* GET /health (G8). */
#ifndef HTTP_HEALTH_H
#define HTTP_HEALTH_H

#include "http/route.h"

/* A route's handler: 200, or 503 where the database cannot be reached from here. */
void health_serve(struct http_context *context, struct request *request, struct reply *reply,
		  const struct route_match *match);

#endif
