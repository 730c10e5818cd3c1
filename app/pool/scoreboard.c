/* The scoreboard's memory. */
#include "pool/scoreboard.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/shared_memory.h"

static size_t bytes_of(uint32_t count)
{
	return sizeof(struct scoreboard) + count * sizeof(struct scoreboard_slot);
}

enum status scoreboard_new(uint32_t count, struct scoreboard **out)
{
	struct scoreboard *scoreboard = shared_memory_new(bytes_of(count));

	if (!scoreboard)
		return STATUS_NOMEM;
	scoreboard->count = count;
	scoreboard->started = clock_wall_ms();
	*out = scoreboard;
	return STATUS_OK;
}

void scoreboard_free(struct scoreboard *scoreboard)
{
	if (scoreboard)
		shared_memory_free(scoreboard, bytes_of(scoreboard->count));
}

void scoreboard_set_busy(struct scoreboard *scoreboard, struct scoreboard_slot *slot, bool busy)
{
	uint32_t now, peak;

	if (atomic_exchange(&slot->busy, busy) == busy)
		return;
	if (!busy) {
		atomic_fetch_sub(&scoreboard->busy, 1);
		return;
	}
	now = atomic_fetch_add(&scoreboard->busy, 1) + 1;
	peak = atomic_load(&scoreboard->peak);
	while (now > peak && !atomic_compare_exchange_weak(&scoreboard->peak, &peak, now))
		;
}

/* One of both sees what the other wrote: they write first, and then look. */
bool scoreboard_unwatch(struct scoreboard *scoreboard)
{
	atomic_store(&scoreboard->unwatched, true);
	return !atomic_load(&scoreboard->busy) || !atomic_exchange(&scoreboard->unwatched, false);
}

bool scoreboard_watch(struct scoreboard *scoreboard)
{
	return atomic_load(&scoreboard->unwatched) &&
	       atomic_exchange(&scoreboard->unwatched, false);
}

bool scoreboard_worked(const struct scoreboard *scoreboard)
{
	const struct scoreboard_slot *slot = scoreboard->slots, *end = slot + scoreboard->count;

	for (; slot < end; slot++)
		if (slot->kind == CHILD_WORKER && atomic_load(&slot->pid))
			return true;
	return false;
}

bool scoreboard_idle(const struct scoreboard *scoreboard)
{
	const struct scoreboard_slot *slot = scoreboard->slots, *end = slot + scoreboard->count;

	for (; slot < end; slot++)
		if (slot->kind == CHILD_WORKER && atomic_load(&slot->pid) &&
		    atomic_load(&slot->stage.at) == STAGE_IDLE)
			return true;
	return false;
}
