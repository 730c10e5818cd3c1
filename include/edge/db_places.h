/*
 * Where the database may be, as libpq reads it from URL, keywords, PG… variables and service file.
 * edge/db's own.
 */
#ifndef EDGE_DB_PLACES_H
#define EDGE_DB_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "edge/resolve.h"

#define DB_PLACES 16

struct db_place {
	char *host, *address, *port; /* NULL: libpq's own */
	bool named;		     /* `host` must be resolved */
	struct resolve_found kept;   /* what it gave when it last gave something */
	int64_t kept_at;	     /* clock_ms() */
};

struct db_places {
	struct db_place all[DB_PLACES];
	int count;	    /* at least 1 */
	bool standby_first; /* target_session_attrs=prefer-standby: all are asked for one first */
	bool shuffled;	    /* load_balance_hosts=random */
	bool keepalives, user_timeout; /* said there: nothing of ours */
};

/* What cannot be read is one place, of which libpq says what is wrong. STATUS_NOMEM. */
enum status db_places_read(const char *url, struct db_places *out) MUST_CHECK;
void db_places_clear(struct db_places *places);

#endif
