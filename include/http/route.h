/* Which handler serves a path: a table. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdbool.h>

#include "base/str.h"
#include "http/serve.h"

struct route {
	const char *path;    /* one "*" stands for one segment */
	const char *methods; /* as Allow says them */
	http_handler_fn handle;
	enum reply_api api;
};

/*
 * The route of a path (undecoded, see request.h), NULL if there is none; *variable is what "*"
 * stood for.
 */
const struct route *route_find(struct str path, struct str *variable);
bool route_allows(const struct route *route, struct str method);
/* The API whose words an error on an unknown path uses. */
enum reply_api route_api(struct str path);

#endif
