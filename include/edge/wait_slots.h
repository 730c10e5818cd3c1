/* Which slots of base/wait the edges of a worker watch their descriptors in. */
#ifndef EDGE_WAIT_SLOTS_H
#define EDGE_WAIT_SLOTS_H

#include "base/wait.h"

enum wait_slot {
	WAIT_CLIENT,		/* gateway */
	WAIT_DB,		/* db */
	WAIT_MODEL,		/* http_client: WAIT_MODEL_FDS of them */
	WAIT_BELL = WAIT_MODEL, /* who listens to another's answer, and asks no model meanwhile */
};
#define WAIT_MODEL_FDS (WAIT_SLOTS - WAIT_MODEL)

#endif
