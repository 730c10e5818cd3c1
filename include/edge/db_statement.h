/*
 * A statement goes out with what belongs to it, and what it gives comes in, piece by piece.  edge/db's
 * own: whether there is a connection, and what is waited for, is db.c's.
 */
#ifndef EDGE_DB_STATEMENT_H
#define EDGE_DB_STATEMENT_H

#include <stdbool.h>

#include "base/status.h"
#include "edge/db.h"

/* Sends the query, or the script, with all that belongs to it. STATUS_UNAVAILABLE: as libpq says. */
enum status db_statement_send(struct db *db) MUST_CHECK;
/*
 * Reads what came, without waiting; *done: all of it. What failed in the database is in `failed` then,
 * or it is to be sent `again`. STATUS_UNAVAILABLE: the connection is lost.
 */
enum status db_statement_step(struct db *db, bool *done) MUST_CHECK;

#endif
