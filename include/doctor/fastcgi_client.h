/*
 * One FastCGI request to a pool's socket, as a web server sends it: for testing the pool without
 * one. Replies are handed on as they come.
 */
#ifndef DOCTOR_FASTCGI_CLIENT_H
#define DOCTOR_FASTCGI_CLIENT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* Bytes of the reply's body. */
typedef void (*fastcgi_body_fn)(void *context, struct str bytes);

struct fastcgi_call {
	const char *address; /* as BANTER_LISTEN */
	const char *method, *path;
	const char *key; /* for x-api-key; NULL: none */
	struct str body;
	int64_t deadline;      /* clock_ms() */
	fastcgi_body_fn bytes; /* may be NULL */
	void *context;
	int status; /* of the reply; 0: none came */
	int error;  /* errno, where it could not be sent */
};

/*
 * STATUS_OK           the reply came to its end
 * STATUS_UNAVAILABLE  nobody could be reached there (error)
 * STATUS_CLOSED       the connection ended before the reply did
 * STATUS_TIMEOUT, STATUS_NOMEM, STATUS_INVALID (what came is not FastCGI)
 */
enum status fastcgi_client_ask(struct fastcgi_call *call) MUST_CHECK;

#endif
