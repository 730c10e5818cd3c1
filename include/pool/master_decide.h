/* What the master's state machine says is to be done, one thing after the other. */
#ifndef POOL_MASTER_DECIDE_H
#define POOL_MASTER_DECIDE_H

#include <stdint.h>

#include "pool/master.h"
#include "pool/scoreboard.h"

enum master_act {
	MASTER_WAIT,	 /* nothing, until `at` or until something happens */
	MASTER_START,	 /* a child of `kind` in `place`: then master_born() or master_unborn() */
	MASTER_RETIRE,	 /* tell `place` to end when its request has */
	MASTER_END,	 /* tell `place` to end, in its drain's time */
	MASTER_END_NOW,	 /* tell `place` to end what runs now */
	MASTER_STUCK,	 /* as MASTER_END, since it has made no step for `at` ms */
	MASTER_KILL,	 /* `place`: it had its time */
	MASTER_KILL_NOW, /* `place`: nobody has any time */
	MASTER_READY,	 /* say so: all are up, and of this generation */
	MASTER_OVER,	 /* all are told to end, and have */
};

struct master_decision {
	enum master_act act;
	enum child_kind kind;
	uint32_t place;
	int64_t at;
};

/* The next thing; it counts as done, but for MASTER_START. To be called until it is MASTER_WAIT. */
struct master_decision master_decide(struct master *master, int64_t now);

#endif
