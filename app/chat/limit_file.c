/*
 * Where the memory of the shared limits comes from: anonymous, or a file that processes of one user
 * share.  Not for what is in it, but for its layout and first filling.
 */
#include "chat/limit_file.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/shared_memory.h"
#include "chat/limit_table.h"

#define LAYOUT_VERSION 1

/* clock_ms() means nothing after a reboot. */
static struct shared_layout layout_of(uint32_t holders)
{
	struct shared_layout layout = shared_layout_of(
		"banter-l", LAYOUT_VERSION,
		sizeof(struct limit_memory) + holders * sizeof(struct limit_holder));

	layout.sizes[0] = LIMIT_ENTRIES;
	layout.sizes[1] = LIMIT_WAYS;
	layout.sizes[2] = holders;
	shared_layout_boot(&layout);
	return layout;
}

static bool fill(void *fresh)
{
	struct limit_memory *memory = fresh;

	secret_random(memory->key, sizeof(memory->key));
	return robust_lock_init(&memory->lock) == STATUS_OK;
}

enum status limit_open(const char *file, uint32_t holders, struct limit **out)
{
	struct shared_layout layout = layout_of(holders);
	struct limit *limit = calloc(1, sizeof(*limit));
	void *memory = NULL;
	enum status status;
	const char *why = "";

	if (!limit)
		return STATUS_NOMEM;
	if (file && !*file)
		file = NULL;
	status = shared_memory_open(file, &layout, fill, &memory, &why);
	if (status != STATUS_OK && file)
		log_error(
			"the shared limits' file %s cannot be used: %s; set BANTER_SHARED_FILE to "
			"another path",
			file, why);
	*limit = (struct limit){ .memory = memory, .bytes = layout.bytes, .holders = holders };
	if (status != STATUS_OK) {
		limit_close(limit);
		return status;
	}
	*out = limit;
	return STATUS_OK;
}

void limit_close(struct limit *limit)
{
	if (limit)
		shared_memory_free(limit->memory, limit->bytes);
	free(limit);
}
