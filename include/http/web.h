/* The chat widget for pages (W1 to W5): app/web's files, which are part of the program. */
#ifndef HTTP_WEB_H
#define HTTP_WEB_H

#include "base/str.h"
#include "http/route.h"

/* One of them. What make knows of them is a table that it writes: app/http/embed-web. */
struct web_file {
	const char *name;	    /* "widget.js"; NULL behind the last one */
	const char *tag, *gzip_tag; /* with their quotes */
	struct str text, gzip;
};

/* The first is the loader, which has an address of its own; the version is that of the others. */
extern const struct web_file web_files[];
extern const char web_version[];

/* True if a reply to this Accept-Encoding (absent: none was sent) is rather compressed (RFC 9110, 12.5.3). */
bool web_takes_gzip(struct str accepted);
/* The handlers of the routes. */
void web_serve_loader(struct http_context *context, struct request *request, struct reply *reply,
		      const struct route_match *match);
void web_serve_file(struct http_context *context, struct request *request, struct reply *reply,
		    const struct route_match *match);

#endif
