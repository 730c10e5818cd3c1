/*
 * What is sent together for one statement, in one go, and which of it is answered next.  edge/db's
 * own.
 */
#ifndef EDGE_DB_PIECES_H
#define EDGE_DB_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "edge/db_query.h"

/* A role's default may be another, at which who waited for a lock sees what was before, or fails. */
#define DB_LEVEL "read committed"

/* In the order in which they are sent. */
enum db_piece {
	DB_PIECE_ROLLBACK, /* of what failed for its name */
	DB_PIECE_BEGIN,	   /* at DB_LEVEL: through a pooler no setting of the session would last */
	DB_PIECE_LOOK,	   /* one row: the role's default level, the server's process and clock */
	DB_PIECE_FORGET,   /* the prepared statement of that name */
	DB_PIECE_PREPARE,
	DB_PIECE_QUERY,
	DB_PIECE_COMMIT,
	DB_PIECE_TRY,	   /* a name, and nothing that fails from here on is the statement's */
	DB_PIECE_TRY_SEEN, /* a row where the server has it by that name */
	DB_PIECE_TRY_END,  /* it is taken back */
	DB_PIECES,
};

struct db_pieces {
	enum db_piece all[DB_PIECES];
	int count;
	int at; /* which is answered next; beyond the last one: all are */
};

struct pg_conn; /* libpq's PGconn */

/* The piece that is answered next. */
static inline enum db_piece db_pieces_next(const struct db_pieces *pieces)
{
	return pieces->at < pieces->count ? pieces->all[pieces->at] : DB_PIECES;
}
static inline void db_pieces_add(struct db_pieces *pieces, enum db_piece piece)
{
	pieces->all[pieces->count++] = piece;
}
/*
 * `name`: the statement's prepared one, NULL: none. `lock_ms` and `until` are what db_add_time_left()
 * and db_add_until() promise; until (milliseconds since 1970) 0: not known. More than one piece is a
 * pipeline, which libpq must be let out of at its end. False: as libpq says.
 */
bool db_pieces_send(const struct db_pieces *pieces, struct pg_conn *conn,
		    const struct db_query *query, const char *name, int64_t lock_ms, int64_t until);

#endif
