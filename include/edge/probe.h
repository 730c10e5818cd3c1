/*
 * A web server as its visitors see it: one request, and of the answer its head, its pieces as they
 * come, and its certificate. For banterctl's tests of the real thing. Rests on edge/http_client.
 */
#ifndef EDGE_PROBE_H
#define EDGE_PROBE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "edge/http_end.h"

/* A piece of the body, when it came. */
typedef void (*probe_bytes_fn)(void *context, struct str bytes);

struct probe {
	/* What is asked; all borrowed. */
	const char *url;
	const char *headers; /* lines with LF between; NULL: none */
	struct str body;     /* absent: GET, else POST */
	const char *ca;	     /* a file of CA certificates; NULL or "": the system's */
	int64_t connect_ms, total_ms;
	probe_bytes_fn bytes; /* NULL: it is read and dropped */
	void *context;
	/* What came. */
	enum http_end end; /* HTTP_END_OTHER: it was not even tried, too */
	int status;	   /* HTTP's; 0: none */
	int64_t ms;
	struct buf head;	 /* the header lines */
	int64_t certificate_end; /* seconds since 1970; 0: no TLS, or not known */
	char cause[256];	 /* of any end but HTTP_END_WHOLE: libcurl's words */
};

/* STATUS_NOMEM, STATUS_FAILED: nothing was tried. To be cleared in any case. */
enum status probe_run(struct probe *probe) MUST_CHECK;
void probe_clear(struct probe *probe);
/* The value of a header of the answer, borrowed; absent if it has none. */
struct str probe_header(const struct probe *probe, const char *name);

#endif
