/*
 * The reply: a head and a body, sent whole. An exchange's events are http/stream's, and how each
 * API frames what it says is its dialect's.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/wait.h"
#include "chat/event.h"
#include "chat/limit.h"
#include "edge/gateway.h"
#include "http/dialect.h"
#include "http/request.h"
#include "wire/config.h"

/* So much of a reply needs no memory: an error can always be said, and so can a stream's end in one. */
#define REPLY_ROOM 2048

/* What a client and a proxy may keep of a reply. */
enum reply_cache {
	CACHE_NOTHING,	  /* G5's rule; what a head says that names none */
	CACHE_STREAM,	  /* nothing either, and no proxy may change or hold it back */
	CACHE_REVALIDATE, /* it may be kept, and is asked for again each time: needs an `etag` */
	CACHE_MINUTES,	  /* the same after five minutes */
	CACHE_FOREVER,	  /* it is never another */
};

/* A head as a value. */
struct reply_head {
	int status;
	const char *type;     /* NULL: without a body */
	const char *encoding; /* of the body; NULL: it is as it is */
	enum reply_cache cache;
	const char *etag;		    /* with its quotes; NULL: none */
	const struct reply_header *headers; /* more, up to a name NULL; NULL: none */
};

struct reply {
	struct sink sink; /* first: a sink is its reply; see http/stream.h */
	struct gateway *gateway;
	struct wait *wait;
	const struct request *request;
	const struct config *config;
	const struct dialect *dialect;
	void *state; /* the dialect's, of the exchange that is told; borrowed */
	struct buf out;
	int status;   /* HTTP's, once the head is appended; 0 before */
	bool closed;  /* the client is gone ... */
	bool stopped; /* ... or took nothing until this worker had to stop */
	bool last;    /* nothing follows what was appended */
	/* What any head says from when it is known. */
	int64_t limit, remaining, reset; /* limit -1: not said */
	int64_t retry_s;		 /* 0: not said */
	const char *allow;		 /* NULL: not said */
	const char *visitor;		 /* a token that was made for it; NULL: not said */
	bool any_origin;		 /* pages of whatever origin may read it (P1), not G7's */
	/*
	 * What an exchange holds of the caps is given back before its last event goes out. NULL:
	 * nothing.
	 */
	struct limit *held;
	uint32_t holder;
	char room[REPLY_ROOM]; /* of `out`, for as long as that is enough */
};

/* All arguments are borrowed until reply_clear(). */
void reply_init(struct reply *reply, struct gateway *gateway, struct wait *wait,
		const struct request *request, const struct config *config,
		const struct dialect *dialect);
void reply_clear(struct reply *reply);

/*
 * Sends a whole reply, or an error where there is no memory for it. A HEAD request gets the head
 * alone; a GET or HEAD that has it already (its If-None-Match names the head's etag) gets 304 in place
 * of 200.
 */
void reply_send(struct reply *reply, const struct reply_head *head, struct str body);
/*
 * Sends what was asked for, JSON that is made already, as the dialect has it; absent: it was done, and
 * there is nothing to tell. `status`: of a reply with a body.
 */
void reply_data(struct reply *reply, int status, struct str json);
/* Sends an error with its status and its dialect's body, and with what the struct's members say. */
void reply_error(struct reply *reply, enum http_error error);
/* The 204 of a preflight (G7). */
void reply_preflight(struct reply *reply, const char *methods);

/* Appends a head, its empty line included. For those who send more than one piece. */
void reply_put_head(struct reply *reply, const struct reply_head *head);
/*
 * STATUS_OK, or STATUS_NOMEM: what was appended behind the first `len` bytes did not fit, and is
 * forgotten.
 */
enum status reply_check(struct reply *reply, size_t len) MUST_CHECK;
/* Writes out what was appended; afterwards `closed` tells. Moves the heartbeat on. */
void reply_flush(struct reply *reply);

#endif
