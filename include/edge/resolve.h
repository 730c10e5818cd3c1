/*
 * Names to addresses without waiting.  getaddrinfo() has no deadline, and a name server that says
 * nothing keeps it for as long as resolv.conf allows: each name has a thread of its own, which may
 * outlive who asked for it.
 */
#ifndef EDGE_RESOLVE_H
#define EDGE_RESOLVE_H

#include <stdbool.h>

#include "base/status.h"

#define RESOLVE_NAMES 16 /* at once */
#define RESOLVE_MOST 8	 /* addresses of a name; more are left out */
#define RESOLVE_SIZE 64	 /* of an address's text, with its zone: INET6_ADDRSTRLEN + IFNAMSIZ */

/* What a name gave: its addresses as text, in the order in which they are to be tried. */
struct resolve_found {
	int count;	 /* 0: none, `why` says it */
	const char *why; /* a constant */
	char addresses[RESOLVE_MOST][RESOLVE_SIZE];
};

struct resolve;

/* Is it an address already? */
bool resolve_is_address(const char *text);
/* Begins; the names are copied, at most RESOLVE_NAMES. STATUS_NOMEM, STATUS_FAILED: no thread. */
enum status resolve_start(const char *const *names, int count, struct resolve **out) MUST_CHECK;
int resolve_count(const struct resolve *resolve); /* as resolve_start() was given */
/* Readable while there is an answer that resolve_take() has not been asked for. */
int resolve_fd(const struct resolve *resolve);
/* How many names have no answer yet. */
int resolve_pending(struct resolve *resolve);
/* The answer to that name, once; false: none yet, or taken. */
bool resolve_take(struct resolve *resolve, int name, struct resolve_found *out);
/* Gives up: what comes later is dropped. NULL is fine. */
void resolve_stop(struct resolve *resolve);

#endif
