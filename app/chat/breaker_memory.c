/* Which entry is whose.  Not for what the states mean, which is breaker.c's. */
#include "chat/breaker_memory.h"

#include <stddef.h>

#include "base/clock.h"

struct breaker_entry *breaker_memory_find(struct breaker_memory *memory, uint64_t id)
{
	size_t i;

	for (i = 0; i < BREAKER_ENTRIES; i++)
		if (atomic_load(&memory->entries[i].id) == id)
			return &memory->entries[i];
	return NULL;
}

/* The first free entry, which another process may take for the same server; NULL: none is free. */
static struct breaker_entry *take_free(struct breaker_memory *memory, uint64_t id)
{
	uint64_t there;
	size_t i;

	for (i = 0; i < BREAKER_ENTRIES; i++) {
		there = 0;
		if (atomic_compare_exchange_strong(&memory->entries[i].id, &there, id) ||
		    there == id)
			return &memory->entries[i];
	}
	return NULL;
}

/*
 * Frees the one that was used longest ago, if nobody else does it just now. Who is about to write to
 * it writes to another server's: that costs what was known, nothing else.
 */
static void free_oldest(struct breaker_memory *memory)
{
	struct breaker_entry *entry = &memory->entries[0];
	uint64_t there;
	size_t i;

	for (i = 1; i < BREAKER_ENTRIES; i++)
		if (atomic_load(&memory->entries[i].used) < atomic_load(&entry->used))
			entry = &memory->entries[i];
	there = atomic_load(&entry->id);
	atomic_store(&entry->used, clock_ms());
	atomic_store(&entry->state, (struct breaker_state){ .kind = BREAKER_CLOSED });
	atomic_compare_exchange_strong(&entry->id, &there, 0);
}

struct breaker_entry *breaker_memory_get(struct breaker_memory *memory, uint64_t id)
{
	struct breaker_entry *entry = breaker_memory_find(memory, id);

	while (!entry) {
		entry = take_free(memory, id);
		if (!entry)
			free_oldest(memory);
	}
	atomic_store(&entry->used, clock_ms());
	return entry;
}
