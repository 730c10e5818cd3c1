/* The pulse.  Rests on the scoreboard, which is shown here and not believed. */
#include "pool/pulse.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pool/systemd.h"

void pulse_init(struct pulse *pulse)
{
	*pulse = (struct pulse){ .every_ms = systemd_watchdog() };
}

static void describe(const struct scoreboard *scoreboard, char *out, size_t size)
{
	const struct scoreboard_slot *slot = scoreboard->slots, *end = slot + scoreboard->count;
	unsigned workers = 0, busy = 0, streams = 0;
	int at;

	for (; slot < end; slot++) {
		if (slot->kind != CHILD_WORKER || !atomic_load(&slot->pid))
			continue;
		at = atomic_load(&slot->stage.at);
		workers++;
		busy += at != STAGE_STARTING && at != STAGE_IDLE;
		streams += at == STAGE_STREAM;
	}
	snprintf(out, size, "%sworkers: %u, busy: %u, streams: %u",
		 atomic_load(&scoreboard->closing) ? "draining; " : "", workers, busy, streams);
}

int64_t pulse_beat(struct pulse *pulse, const struct scoreboard *scoreboard, int64_t now)
{
	char line[sizeof(pulse->said)];

	describe(scoreboard, line, sizeof(line));
	if (strcmp(line, pulse->said) != 0) {
		strcpy(pulse->said, line);
		systemd_status(line);
	}
	if (pulse->every_ms == CLOCK_NEVER)
		return CLOCK_NEVER;
	if (now >= pulse->due) {
		systemd_alive();
		pulse->due = now + pulse->every_ms;
	}
	return pulse->due;
}
