/* The table of counters, and the memory of their slots.  Rests on base/shared_memory. */
#include "base/counter.h"

#include <stdlib.h>

#include "base/shared_memory.h"

#define LAYOUT_VERSION 1

struct counter_memory {
	struct shared_layout layout; /* sizes: counters, slots */
	struct counter_slot slots[];
};

struct counter_table {
	struct counter_memory *memory;
	size_t bytes;
	uint32_t count; /* our own copy: the shared one is not to be believed for bounds */
};

const struct counter_entry *counter_entry_at(enum counter counter)
{
	static const struct counter_entry entries[COUNTERS] = {
#define COUNTER_ENTRY(constant, name, kind, help) { name, kind, help },
		COUNTER_ROWS(COUNTER_ENTRY)
#undef COUNTER_ENTRY
	};

	return &entries[counter];
}

/* Zeros are what it begins with. */
static bool fill(void *memory)
{
	return memory != NULL;
}

/* No boot id: what was counted before a reboot was counted all the same. */
static struct shared_layout layout_of(uint32_t count)
{
	struct shared_layout layout = shared_layout_of("banter-c", LAYOUT_VERSION,
						       sizeof(struct counter_memory) +
							       count * sizeof(struct counter_slot));

	layout.sizes[0] = COUNTERS;
	layout.sizes[1] = count;
	return layout;
}

enum status counter_table_open(const char *file, uint32_t count, struct counter_table **out,
			       const char **why)
{
	struct shared_layout layout = layout_of(count);
	struct counter_table *table = calloc(1, sizeof(*table));
	enum status status;
	void *memory = NULL;

	if (!table)
		return STATUS_NOMEM;
	status = shared_memory_open(file, &layout, fill, &memory, why);
	if (status != STATUS_OK) {
		free(table);
		return status;
	}
	*table = (struct counter_table){ memory, layout.bytes, count };
	*out = table;
	return STATUS_OK;
}

void counter_table_close(struct counter_table *table)
{
	if (table)
		shared_memory_free(table->memory, table->bytes);
	free(table);
}

struct counter_slot *counter_table_slot(struct counter_table *table, uint32_t index)
{
	return &table->memory->slots[index];
}

uint64_t counter_table_sum(const struct counter_table *table, enum counter counter)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < table->count; i++)
		sum += counter_read(&table->memory->slots[i], counter);
	return sum;
}
