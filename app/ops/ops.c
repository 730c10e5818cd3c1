/* The operator's way to the database: how long it waits, and what it was refused. */
#include "ops/ops.h"

void ops_init(struct ops *ops, struct db *db, struct wait *wait, int64_t patience_ms)
{
	ops->db = db;
	ops->wait = wait;
	ops->patience_ms = patience_ms;
	ops->refusal[0] = '\0';
}
