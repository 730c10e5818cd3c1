/* What a child of the master does, from its birth to its end. */
#ifndef POOL_CHILD_H
#define POOL_CHILD_H

#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "pool/children.h"

/* In the child that fork(2) made for that place. It ends with `master`. */
noreturn void child_run(const struct children *children, enum child_kind kind, uint32_t place,
			pid_t master);

#endif
