/*
 * In which order the database's addresses are tried, and which of them said nothing lately.  edge/db's
 * own.
 */
#ifndef EDGE_DB_ATTEMPTS_H
#define EDGE_DB_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "edge/db_places.h"

#define DB_ATTEMPTS 64
#define DB_SILENT 8

struct db_attempt {
	const struct db_place *place;
	char address[RESOLVE_SIZE]; /* "": none, the place is a socket's or libpq's own */
	const char *session;	    /* target_session_attrs; NULL: as set */
};

struct db_attempts {
	int count, at; /* the next one */
	struct db_attempt all[DB_ATTEMPTS];
	struct {
		struct db_attempt attempt;
		int64_t until;
	} silent[DB_SILENT];
};

/*
 * Lists anew all that can be tried without asking a name server: libpq's order, but for those that
 * said nothing lately, which come last.
 */
void db_attempts_list(struct db_attempts *attempts, const struct db_places *places);
/* The one that was begun last said nothing. */
void db_attempts_silent(struct db_attempts *attempts);
/* The places are to be read anew. */
void db_attempts_forget(struct db_attempts *attempts);

#endif
