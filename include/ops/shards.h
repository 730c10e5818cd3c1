/* The partitions behind a router. */
#ifndef OPS_SHARDS_H
#define OPS_SHARDS_H

#include "ops/ops.h"

/* Who owns the functions of a router, here and at its partitions; STATUS_REFUSED: it is none. */
enum status ops_shards_owner(struct ops *ops, struct db_rows **out) MUST_CHECK;
/* Where they are, in their order: partition, address. */
enum status ops_shards_map(struct ops *ops, struct db_rows **out) MUST_CHECK;
/* The functions of a partition, as a router makes its own of them; asked of the partition itself. */
enum status ops_shards_interface(struct ops *ops, struct db_rows **out) MUST_CHECK;
/* The columns of ops_shards_states(). */
enum {
	OPS_SHARDS_PARTITION,
	OPS_SHARDS_WORKSPACES,
	OPS_SHARDS_VERSION,
	OPS_SHARDS_FAULT,
	OPS_SHARDS_ADDRESS,
	OPS_SHARDS_MOVING
};
/*
 * What each of them is: as the router sees it, so that it is the router's way to them that is looked at;
 * its fault is absent where there is none, and where it is not moving that is. `of` is not used.
 */
enum status ops_shards_states(struct ops *ops, const char *of, struct db_rows **out) MUST_CHECK;

#endif
