/*
 * A server that is asked over HTTP: where it is and how it is spoken to, made ready once, so that a
 * request costs a copy and no more. For edge/http_client, whose callers only describe a target.
 */
#ifndef EDGE_HTTP_PREPARED_H
#define EDGE_HTTP_PREPARED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Strings are borrowed for the call that takes it; NULL is as good as "". */
struct http_target {
	const char *url;     /* of the whole resource: http or https; never followed elsewhere */
	const char *headers; /* "Name: value" lines, LF between */
	const char *agent;   /* the User-Agent */
	const char *ca;	     /* a file of CA certificates; "": the system's */
	/*
	 * NULL: none is asked for, and what comes packed even so is unpacked (edge/http_unpack).
	 * Else the Accept-Encoding ("": all that libcurl knows), and it unpacks what comes.
	 */
	const char *accept_encoding;
	bool ca_folder;	    /* trusts the system's folder too, searched at every handshake */
	bool http2;	    /* where the server offers it */
	bool certificate;   /* http_client_certificate_end() will be asked for */
	bool rehearse;	    /* processes are forked after this: see edge/http_rehearsal */
	int64_t connect_ms; /* to a connection that is ready, TLS included */
	int64_t first_ms;   /* from the request to the first byte; 0: no limit */
	int64_t idle_ms;    /* between bytes; 0: no limit */
	int64_t total_ms;   /* 0: no limit but the call's deadline */
	int64_t spare_ms;   /* how long a connection is kept unused; 0: as libcurl likes */
	int64_t age_ms;	    /* how old it may be when it is used again; 0: any; whole seconds */
};

struct http_prepared {
	void *easy;    /* libcurl's: what a request is copied from */
	void *headers; /* libcurl's list, which every copy borrows */
	int64_t first_ms, idle_ms;
	bool unpacks; /* libcurl does */
	bool tls;     /* the server is behind it */
	bool http2;   /* it may be spoken */
};

/*
 * STATUS_NOMEM; STATUS_FAILED: libcurl cannot do it, *why (a constant) in its words. Then nothing
 * is left to clear.
 */
enum status http_prepared_init(struct http_prepared *prepared, const struct http_target *target,
			       const char **why) MUST_CHECK;
/* No transfer may be using it. Wipes the headers. A zeroed one is fine. */
void http_prepared_clear(struct http_prepared *prepared);

#endif
