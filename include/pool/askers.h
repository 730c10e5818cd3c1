/* Who asked the master for a reload (edge/control.h) and waits to hear what became of it. */
#ifndef POOL_ASKERS_H
#define POOL_ASKERS_H

#include <stdbool.h>

#include "edge/control.h"

#define ASKERS 8

struct askers {
	int listen_fd; /* -1: nobody can ask */
	int all[ASKERS];
	int count;
};

void askers_init(struct askers *askers);
void askers_clear(struct askers *askers);
/* True: somebody came, and waits. */
bool askers_came(struct askers *askers);
/* Tells all who wait; from then on nobody does. */
void askers_tell(struct askers *askers, enum control_end end, const char *text);

#endif
