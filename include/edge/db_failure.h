/*
 * What the database's errors mean to us, and which of their words the log may have.  edge/db's own.
 */
#ifndef EDGE_DB_FAILURE_H
#define EDGE_DB_FAILURE_H

#include "base/status.h"
#include "edge/db.h"

struct pg_result; /* libpq's PGresult */

/* An error of the server's: what becomes of the statement, and a line where one belongs into the log. */
void db_failure_note(struct db *db, const struct pg_result *result);
/* The server went without a word; said where there is no second try. STATUS_UNAVAILABLE. */
enum status db_failure_lost(const struct db *db) MUST_CHECK;

#endif
