/* The scoreboard's memory. */
#include "pool/scoreboard.h"

#include <stddef.h>

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
	*out = scoreboard;
	return STATUS_OK;
}

void scoreboard_free(struct scoreboard *scoreboard)
{
	if (scoreboard)
		shared_memory_free(scoreboard, bytes_of(scoreboard->count));
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
