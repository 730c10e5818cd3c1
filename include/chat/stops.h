/*
 * The stop poll: of exchanges that run here, which ones somebody wants to end. The SQL function
 * stops as C functions; what a client says to stop is chat/talks.
 */
#ifndef CHAT_STOPS_H
#define CHAT_STOPS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "edge/db.h"

/* How long after one poll the next is due, in ms: no stop is noticed later. */
#define STOPS_MS 1000
/* ... where that one had no answer. */
#define STOPS_FAILED_MS 5000

/* The exchanges that are asked about. */
struct stops {
	struct buf workspaces, exchanges;
};

void stops_init(struct stops *stops); /* of none */
void stops_clear(struct stops *stops);
/* `exchange`: of what may stand in an id. */
void stops_add(struct stops *stops, int64_t workspace, const char *exchange);
/* The statement; they are asked about as they are, and borrowed, until stops_reset(). STATUS_NOMEM. */
enum status stops_put(struct stops *stops, struct db_query *query) MUST_CHECK;
void stops_reset(struct stops *stops); /* of none */
/* Which exchange a row of its answer says is to end; borrowed from `rows`. */
void stops_row(const struct db_rows *rows, int row, int64_t *workspace, struct str *exchange);

#endif
