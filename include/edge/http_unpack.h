/*
 * A response's body that came packed though nobody asked for it: gzip and deflate in, the bytes that
 * were meant out, as soon as they can be told.  For edge/http_client.  All of zlib is here.
 */
#ifndef EDGE_HTTP_UNPACK_H
#define EDGE_HTTP_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* More than that is no answer, however little it was when it came. */
#define HTTP_UNPACK_MOST ((size_t)256 << 20)

enum http_packing {
	HTTP_PACKING_UNSEEN, /* nothing of the body came */
	HTTP_PACKING_NONE,
	HTTP_PACKING_SOME,
	HTTP_PACKING_OVER, /* its end came: what is behind it is nothing */
};

struct http_unpack {
	enum http_packing packing;
	bool deflate;	     /* a header said so */
	bool gzip;	     /* it is */
	bool again;	     /* a whole gzip stream came: what follows may be another */
	unsigned char first; /* the byte that alone does not tell; `held`: it is here */
	bool held;
	size_t left; /* of HTTP_UNPACK_MOST */
	void *zlib;  /* z_stream; NULL: none yet */
};

/* For a new response. A zeroed one may be begun. */
void http_unpack_begin(struct http_unpack *unpack);
void http_unpack_clear(struct http_unpack *unpack); /* a zeroed one is fine */
/* A header line of the response, before its body. */
void http_unpack_header(struct http_unpack *unpack, struct str line);
/*
 * Appends what the body's next bytes mean to `out`. A body that begins as gzip does is gzip, whatever
 * its headers say: many say gzip of what a proxy has unpacked, and no text begins so. Deflate must
 * have been announced, and comes with zlib's header or, as some send it, without.
 *   STATUS_OK
 *   STATUS_INVALID  it cannot be unpacked    STATUS_NOMEM  no memory, or beyond what `out` takes or
 *                                            HTTP_UNPACK_MOST
 */
enum status http_unpack_feed(struct http_unpack *unpack, struct str bytes,
			     struct buf *out) MUST_CHECK;

#endif
