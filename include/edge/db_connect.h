/*
 * A connection to the database is made: names are resolved, one place after the other is tried, each
 * for its share of the time, without waiting.  edge/db's own: what it is good for is db.c's.
 */
#ifndef EDGE_DB_CONNECT_H
#define EDGE_DB_CONNECT_H

#include <stdint.h>

#include "base/status.h"
#include "base/wait.h"
#include "edge/db.h"

struct db_connect;
struct pg_conn; /* libpq's PGconn */

/* Keeps copies. STATUS_NOMEM. */
enum status db_connect_new(const struct db_target *target, struct db_connect **out) MUST_CHECK;
void db_connect_free(struct db_connect *connect); /* NULL is fine */

/*
 * Begins anew. All places together have until `end_at` (clock_ms), each its share of what is left;
 * one that said nothing lately comes last. STATUS_UNAVAILABLE (logged), STATUS_NOMEM.
 */
enum status db_connect_start(struct db_connect *connect, int64_t end_at) MUST_CHECK;
/*
 * Goes on; to be called when what db_connect_watch() watches is ready, and at db_connect_by(). *out
 * stays NULL until there is a connection, which is then the caller's. As db_connect_start().
 */
enum status db_connect_step(struct db_connect *connect, struct pg_conn **out) MUST_CHECK;
void db_connect_watch(const struct db_connect *connect, struct wait *wait);
int64_t db_connect_by(const struct db_connect *connect);
/* Gives up what was begun. */
void db_connect_stop(struct db_connect *connect);

#endif
