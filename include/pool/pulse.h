/*
 * The master's pulse, for a service manager: its watchdog's sign of life, and a line on what the pool
 * does. It beats in the master's loop alone, so that a loop which stands still has none.
 */
#ifndef POOL_PULSE_H
#define POOL_PULSE_H

#include <stdint.h>

#include "pool/scoreboard.h"

struct pulse {
	int64_t every_ms; /* CLOCK_NEVER: nobody listens for it */
	int64_t due;
	char said[96]; /* the last line */
};

void pulse_init(struct pulse *pulse);
/*
 * Says what is due, and the line where it has changed. Returns when the next beat is due; CLOCK_NEVER
 * where there is no watchdog: nobody is woken for the line.
 */
int64_t pulse_beat(struct pulse *pulse, const struct scoreboard *scoreboard, int64_t now);

#endif
