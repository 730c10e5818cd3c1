/*
 * How a transfer of edge/http_client ended: libcurl's many codes as the few kinds that lead
 * somebody to do something else. The kinds are for anybody, the functions for edge/http_client.
 */
#ifndef EDGE_HTTP_END_H
#define EDGE_HTTP_END_H

#include <stdint.h>

enum http_end {
	HTTP_END_NONE,	/* under way, or stopped by its caller */
	HTTP_END_WHOLE, /* the answer came to its end */
	HTTP_END_NO_HOST,
	HTTP_END_REFUSED,	/* nobody listens there */
	HTTP_END_LATE,		/* connecting, or all of it, took longer than the target allows */
	HTTP_END_LATE_FIRST,	/* nothing of an answer within the target's first_ms */
	HTTP_END_LATE_NEXT,	/* nothing more within its idle_ms */
	HTTP_END_LATE_DEADLINE, /* the caller's deadline came */
	HTTP_END_CUT,		/* the connection broke off */
	HTTP_END_NOT_TLS,	/* no handshake: it speaks something else there */
	HTTP_END_EXPIRED,	/* its certificate is */
	HTTP_END_NOT_YET,	/* its certificate is not valid yet */
	HTTP_END_UNKNOWN_CA,	/* nobody we know vouches for its certificate */
	HTTP_END_WRONG_NAME,	/* its certificate is another host's */
	HTTP_END_BAD_CA,	/* our own file of authorities cannot be read */
	HTTP_END_OTHER,
	HTTP_ENDS
};

/* Of libcurl's handle (CURL *) and code (CURLcode): never one of our own limits. */
enum http_end http_end_of(void *easy, int code);
/*
 * When the server's certificate ends, seconds since 1970; 0: no TLS, or not known. Only of a target
 * that asked for it.
 */
int64_t http_end_certificate(void *easy);

#endif
