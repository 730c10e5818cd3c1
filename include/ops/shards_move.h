/*
 * A partition on its way to another server: what is asked of the router, of the place it is at (the
 * source), and of the one it moves to (the target). Each is a superuser's, and bears being asked again.
 */
#ifndef OPS_SHARDS_MOVE_H
#define OPS_SHARDS_MOVE_H

#include <stdbool.h>

#include "ops/ops.h"

/* The columns of ops_move_look(); the last three are absent where it is not moving. */
enum { OPS_MOVE_ADDRESS, OPS_MOVE_SOURCE, OPS_MOVE_TARGET, OPS_MOVE_SWITCHED };
/* The columns of ops_move_look_source() behind what is wrong; the role is absent where there is none. */
enum { OPS_MOVE_ROLE = 1, OPS_MOVE_ENCODING, OPS_MOVE_COLLATION };
/* The columns of ops_move_position(). */
enum { OPS_MOVE_LSN, OPS_MOVE_SEQUENCES, OPS_MOVE_SUM };
/* The columns of ops_move_copied(). */
enum { OPS_MOVE_COPIED, OPS_MOVE_TABLES, OPS_MOVE_ERRORS };

/* The router. */

/* Leaves a transaction open, which says that somebody moves it; STATUS_REFUSED: another one does. */
enum status ops_move_attend(struct ops *ops, const char *partition) MUST_CHECK;
/* `target`, NULL: none is named; STATUS_REFUSED: it is another's. */
enum status ops_move_look(struct ops *ops, const char *partition, const char *target,
			  struct db_rows **out) MUST_CHECK;
enum status ops_move_begin(struct ops *ops, const char *partition, const char *target) MUST_CHECK;
/* Begins a transaction in which its calls wait; not *held: one takes too long, none is begun. */
enum status ops_move_hold(struct ops *ops, const char *partition, bool *held) MUST_CHECK;
/* Commits it, and from then on the partition is where it moved to. If that fails, it may be so. */
enum status ops_move_switch(struct ops *ops, const char *partition) MUST_CHECK;
enum status ops_move_end(struct ops *ops, const char *partition) MUST_CHECK;
/* STATUS_REFUSED: one of its partitions is moving. */
enum status ops_move_none(struct ops *ops) MUST_CHECK;

/* Any of the three. */

/* Connected, so that what comes next takes no longer than it must. */
enum status ops_move_ready(struct ops *ops) MUST_CHECK;
/* Back to before ops_move_hold() or ops_move_still(). */
void ops_move_release(struct ops *ops);

/* The source. */

/* STATUS_REFUSED: it cannot move. Else what its like is made with. */
enum status ops_move_look_source(struct ops *ops, int version, struct db_rows **out) MUST_CHECK;
/* Makes it ready to be followed; the slot's name. */
enum status ops_move_publish(struct ops *ops, struct db_rows **out) MUST_CHECK;
/* Begins a transaction in which nothing is written there; not *still: somebody writes for too long. */
enum status ops_move_still(struct ops *ops, bool *still) MUST_CHECK;
/* How far it has come by now, on its disk. */
enum status ops_move_position(struct ops *ops, struct db_rows **out) MUST_CHECK;
/* Commits that transaction, and nothing is written there any more. */
enum status ops_move_fence(struct ops *ops, const char *target) MUST_CHECK;
enum status ops_move_unpublish(struct ops *ops) MUST_CHECK;

/* The target. */

/*
 * STATUS_REFUSED: a partition like the source (its encoding, its collation) cannot be made there.
 * `begun`: what is there is ours.
 */
enum status ops_move_look_target(struct ops *ops, const char *owner, const char *role,
				 const char *encoding, const char *collation,
				 bool begun) MUST_CHECK;
enum status ops_move_subscribe(struct ops *ops, const char *source, const char *slot) MUST_CHECK;
enum status ops_move_copied(struct ops *ops, struct db_rows **out) MUST_CHECK;
/* So that plans are good from the first call on. */
enum status ops_move_analyze(struct ops *ops) MUST_CHECK;
/* What the source had written by that position is here. */
enum status ops_move_reached(struct ops *ops, const char *lsn, bool *reached) MUST_CHECK;
/* Follows the source no more, and goes on with its numbers; STATUS_REFUSED: it is not as the source. */
enum status ops_move_settle(struct ops *ops, const char *sequences, const char *sum) MUST_CHECK;
enum status ops_move_unsubscribe(struct ops *ops) MUST_CHECK;
/* Empties it. */
enum status ops_move_clear(struct ops *ops) MUST_CHECK;

#endif
