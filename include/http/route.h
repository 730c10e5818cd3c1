/*
 * The table of paths: who serves one, with which methods, in which dialect. And for paths that are
 * none of ours, in whose words that is said.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "http/dialect.h"

struct http_context;
struct reply;
struct request;
struct route_match;

/* Serves a request of a route, its whole reply included. */
typedef void (*route_handler_fn)(struct http_context *context, struct request *request,
				 struct reply *reply, const struct route_match *match);

enum route_flag {
	ROUTE_STATUS = 1 << 0,	 /* the status listener answers it too ... */
	ROUTE_SHOWS = 1 << 1,	 /* ... and nobody else, and where BANTER_STATUS_SHOWS says so */
	ROUTE_STREAM = 1 << 2,	 /* an exchange here is a stream */
	ROUTE_WHOLE = 1 << 3,	 /* an exchange here is one answer; neither: its body says which */
	ROUTE_VISITORS = 1 << 4, /* a page may ask here with a site key */
	ROUTE_PRIVATE = 1 << 5,	 /* no log says what stands for its names, but its pattern */
};

struct route {
	const char *path;    /* "{name}" stands for one segment that is not empty */
	const char *methods; /* as Allow says them */
	route_handler_fn handle;
	const struct dialect *dialect; /* its errors' too */
	unsigned flags;		       /* enum route_flag, or-ed */
};

#define ROUTE_VARIABLES 4

/* The table's row; NULL behind its end. */
const struct route *route_at(size_t index);

/* What a path matched, and what stood in place of its names; all borrowed. */
struct route_match {
	const struct route *route;
	size_t count;
	struct {
		struct str name, value;
	} variables[ROUTE_VARIABLES];
};

/* The first route of a path (undecoded, see request.h; absent: none has it). False: none. */
bool route_find(struct str path, struct route_match *match);
/* What a match (`route` NULL: of none) is called where requests are counted: "chatbot /a/{b}". */
void route_name(struct str path, const struct route_match *match, struct buf *out);
/* The same for one route: whether it has the path. */
bool route_matches(const struct route *route, struct str path, struct route_match *match);
/* The kinds of keys that are good there (KEY_SET). */
unsigned route_keys(const struct route *route);
/* What stood there; absent if the route has no such name. */
struct str route_variable(const struct route_match *match, const char *name);
bool route_allows(const struct route *route, struct str method);

/* Paths that begin so are refused in these words, if no route has them; the first that fits counts. */
struct route_prefix {
	const char *prefix;
	const struct dialect *dialect;
	bool told_apart; /* by web servers too, whose own errors are else the headless API's */
};
/* The table's row; NULL behind its end. The last row takes every path. */
const struct route_prefix *route_prefix_at(size_t index);
const struct dialect *route_dialect(struct str path);

#endif
