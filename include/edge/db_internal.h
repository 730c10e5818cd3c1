/* A connection's inside, for edge/db and what it is made of: edge/db_statement, edge/db_failure. */
#ifndef EDGE_DB_INTERNAL_H
#define EDGE_DB_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "edge/db.h"
#include "edge/db_connect.h"
#include "edge/db_pieces.h"
#include "edge/db_prepared.h"

struct pg_conn;	  /* libpq's PGconn */
struct pg_result; /* libpq's PGresult */

enum db_state { DB_CLOSED, DB_CONNECTING, DB_READY, DB_SENDING, DB_READING };

struct db {
	struct db_connect *connect;
	int64_t connect_ms, idle_ms;
	struct pg_conn *conn;
	enum db_state state;
	int64_t used_at;  /* the end of the last statement */
	int64_t deadline; /* of the running db_call(); 0: none */
	int64_t until;	  /* ... and of its try that runs */
	int64_t began_us; /* what db_start() began; 0: nothing, or it was counted */
	int64_t sent_at;  /* the last one */
	/* The server's clock when ours is 0; of the connection before this one until it has said it. */
	int64_t clock_at;
	bool clock_known;
	bool plain;  /* the role's default is our level: a statement need not say it */
	bool opened; /* db_open() began it, and no call went on with it yet */
	bool fresh;  /* the connection was made for the running statement */
	bool held;   /* see db_hold() */
	const char *name;
	const char *script;
	const struct db_query *query;
	struct db_prepared prepared;
	struct db_prepared_one *named; /* by which `query` was sent; NULL: by none */
	bool again;   /* its name failed it, or its time: it is sent once more ... */
	bool unnamed; /* ... without them */
	struct db_pieces pieces;
	struct pg_result *result; /* the last one with rows */
	enum status failed;
};

#endif
