/*
 * A connection to the database is made: its turn is waited for, names are resolved, one place after
 * the other is tried, each for its share of the time, without waiting.  edge/db's own: what it is
 * good for is db.c's.
 */
#ifndef EDGE_DB_CONNECT_H
#define EDGE_DB_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/wait.h"
#include "edge/db.h"

struct db_connect;
struct pg_conn; /* libpq's PGconn */

/* Keeps copies. STATUS_NOMEM. */
enum status db_connect_new(const struct db_target *target, struct db_connect **out) MUST_CHECK;
/* As db_take_turns(). */
void db_connect_take_turns(struct db_connect *connect, struct db_throttle *throttle,
			   uint32_t place);
void db_connect_free(struct db_connect *connect); /* NULL is fine */

#define DB_CONNECT_NOW (-1) /* nobody calls db_connect_step() in time: no turn is waited for */

/*
 * Begins anew. All places together have until `end_at` (clock_ms), each its share of what is left;
 * one that said nothing lately comes last. Where there is a throttle, its turn is waited for first;
 * what of that lies before `patient_until` moves the end on (db_connect_waited()). A server that is
 * full, or lets nobody in while it starts or ends, is then asked again until the end.
 * STATUS_UNAVAILABLE (logged), STATUS_NOMEM.
 */
enum status db_connect_start(struct db_connect *connect, int64_t end_at,
			     int64_t patient_until) MUST_CHECK;
/*
 * The connection has done its first statement, for which a new process of the server's reads all
 * that it needs: that costs more than to fork it, so only now is the next one's turn, unless it took
 * longer than that can.
 */
void db_connect_settle(struct db_connect *connect);
/* How much later the end is than db_connect_start() was told. */
int64_t db_connect_waited(const struct db_connect *connect);
/* Others wait for a server that is full: a connection that is not needed is to be given up. */
bool db_connect_wanted(const struct db_connect *connect);
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
