/*
 * Which statements a connection keeps prepared, and under which names; whether it keeps any is found
 * out here.  Sends nothing: that is edge/db_pieces.  edge/db's own.
 *
 * Where the connection's process is the server's, the session is ours and names are kept. Else a
 * pooler stands between: then a name is tried in a transaction that takes it back. If the server
 * knows it by that name, the pooler only passes it on, and what is kept on a server that others use
 * too would be in their way: nothing is kept for as long as the connection lives (a pooler in session
 * mode, which cannot be told from one in transaction mode, is served like that too). If the server
 * has it under another name, the pooler keeps it.
 *
 * A name has its SQL's hash in it: one of another release is another one.
 */
#ifndef EDGE_DB_PREPARED_H
#define EDGE_DB_PREPARED_H

#include <stdbool.h>
#include <stdint.h>

#include "edge/db_query.h"

#define DB_PREPARED 4	    /* statements of a connection; a fifth is not kept */
#define DB_PREPARED_NAME 64 /* PostgreSQL's NAMEDATALEN */

/* Who keeps them. */
enum db_keeper {
	DB_KEEPER_UNKNOWN, /* nothing has been asked yet */
	DB_KEEPER_DOUBTED, /* a pooler: a name is to be tried */
	DB_KEEPER_SERVER,
	DB_KEEPER_POOLER,
	DB_KEEPER_NONE,
};

struct db_prepared_one {
	const char *sql; /* NULL: none; compared as a pointer */
	char name[DB_PREPARED_NAME];
	bool there; /* it was made */
	bool stale; /* what it was made for has changed: it is to be made again */
};

/* Zeroed for a new connection. */
struct db_prepared {
	enum db_keeper keeper;
	int64_t pause_until; /* clock_ms(); no names are used before */
	struct db_prepared_one all[DB_PREPARED];
};

/* The connection's process is that of the session (`own`), or another one's. */
void db_prepared_look(struct db_prepared *prepared, bool own);
/* A name was tried: the server has it (`seen`) under just that name, or not. */
void db_prepared_tried(struct db_prepared *prepared, bool seen);
/* How to send that statement; NULL: without a name. Else it is made first unless it is `there`. */
struct db_prepared_one *db_prepared_find(struct db_prepared *prepared,
					 const struct db_query *query);
/*
 * Sent by that name, it failed with this SQLSTATE. True: for the name, with no effect; it is to be
 * sent again without one. For a minute no names are used then: should they fail for good (a pooler
 * that looks like the server), it costs next to nothing.
 */
bool db_prepared_failed(struct db_prepared *prepared, struct db_prepared_one *one,
			const char *state);

#endif
