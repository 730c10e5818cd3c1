/*
 * A web server as its visitors see it: one request, and of the answer its head, its pieces as they
 * come, and its certificate. For banterctl's tests of the real thing; a model's answers are
 * edge/upstream's.
 */
#ifndef EDGE_VISIT_H
#define EDGE_VISIT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum visit_end {
	VISIT_DONE, /* an answer came to its end */
	VISIT_NO_HOST,
	VISIT_NO_ONE, /* nobody listens there */
	VISIT_LATE,
	VISIT_CUT,	  /* it began, and broke off */
	VISIT_NOT_TLS,	  /* no handshake: it speaks something else there */
	VISIT_EXPIRED,	  /* its certificate is */
	VISIT_NOT_YET,	  /* its certificate is not valid yet */
	VISIT_UNKNOWN_CA, /* nobody we know vouches for its certificate */
	VISIT_WRONG_NAME, /* its certificate is another host's */
	VISIT_BAD_CA,	  /* our own file of authorities cannot be read */
	VISIT_OTHER,
};

/* A piece of the body, when it came. */
typedef void (*visit_bytes_fn)(void *context, struct str bytes);

struct visit {
	/* What is asked; all borrowed. */
	const char *url;
	const char *headers; /* lines with LF between; NULL: none */
	struct str body;     /* absent: GET, else POST */
	const char *ca;	     /* a file of CA certificates; NULL or "": the system's */
	int64_t connect_ms, total_ms;
	visit_bytes_fn bytes; /* NULL: it is read and dropped */
	void *context;
	/* What came. */
	enum visit_end end;
	int status; /* HTTP's; 0: none */
	int64_t ms;
	struct buf head;	 /* the header lines */
	int64_t certificate_end; /* seconds since 1970; 0: no TLS, or not known */
	char cause[256];	 /* of any end but VISIT_DONE: libcurl's words */
};

/* STATUS_NOMEM, STATUS_FAILED: nothing was tried. To be cleared in any case. */
enum status visit_run(struct visit *visit) MUST_CHECK;
void visit_clear(struct visit *visit);
/* The value of a header of the answer, borrowed; absent if it has none. */
struct str visit_header(const struct visit *visit, const char *name);

#endif
