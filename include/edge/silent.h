/*
 * Connections on which the other side has not said a word yet. They are held, so that none of them
 * keeps a worker, until a first byte comes or their time is over. Not for reading: see gateway.h.
 */
#ifndef EDGE_SILENT_H
#define EDGE_SILENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/*
 * What has come on a connection, without waiting: STATUS_OK something, STATUS_CLOSED its end,
 * STATUS_TIMEOUT nothing yet.
 */
enum status silent_look(int fd) MUST_CHECK;

struct silent_one {
	int fd;
	int64_t until;
};

struct silent {
	struct silent_one *all; /* oldest first */
	uint32_t size, count;
};

/* Room for `most` of them. STATUS_NOMEM. */
enum status silent_init(struct silent *silent, uint32_t most) MUST_CHECK;
void silent_clear(struct silent *silent); /* closes all of them; zeroed is fine */

/* Takes the descriptor, until `until` (clock_ms()). Where there is no room the oldest is closed. */
void silent_add(struct silent *silent, int fd, int64_t until);
/* Closes the oldest: somebody needs its descriptor. False: there is none. */
bool silent_drop(struct silent *silent);
/*
 * Gives away those on which something came: their descriptors in `out`, at most `most`. How many.
 * Closes those whose time is over, or whose other side left.
 */
uint32_t silent_take(struct silent *silent, int64_t now, uint32_t most, int out[]);

#endif
