/*
 * Connections that were answered before all of their request had come: read on, and nobody waits
 * for them. A web server whose own write fails may drop the reply that it already has.
 */
#ifndef EDGE_LINGERING_H
#define EDGE_LINGERING_H

#include <stdint.h>

#define LINGERING_MAX 64

/* Oldest first. */
struct lingering {
	struct {
		int fd;
		int64_t until;
		int64_t read; /* bytes */
	} open[LINGERING_MAX];
	int count;
};

void lingering_init(struct lingering *lingering);
void lingering_clear(struct lingering *lingering); /* closes all of them */
/*
 * Takes the descriptor; the other side sees the end of what is said to it. It is closed at its own
 * end, at `until` (clock_ms()), or earlier for one that comes where there are LINGERING_MAX.
 */
void lingering_add(struct lingering *lingering, int fd, int64_t until);
/* Reads what has come, and closes whose time is over. Never waits. */
void lingering_look(struct lingering *lingering, int64_t now);

#endif
