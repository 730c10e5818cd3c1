/*
 * Where the memory of the shared limits comes from: anonymous, or a file that processes of one user
 * share.  Not for what is in it, but for its layout and first filling.
 */
#include "chat/limit_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/shared_memory.h"
#include "chat/limit_table.h"

#define LAYOUT_VERSION 1

/* clock_ms() means nothing after a reboot. */
static struct shared_layout layout_of(uint32_t holders)
{
	struct shared_layout layout;

	memset(&layout, 0, sizeof(layout)); /* it is compared byte by byte */
	memcpy(layout.magic, "banter-l", sizeof(layout.magic));
	layout.version = LAYOUT_VERSION;
	layout.sizes[0] = LIMIT_ENTRIES;
	layout.sizes[1] = LIMIT_WAYS;
	layout.sizes[2] = holders;
	layout.bytes = sizeof(struct limit_memory) + holders * sizeof(struct limit_holder);
	shared_layout_boot(&layout);
	return layout;
}

static bool fill(void *fresh)
{
	struct limit_memory *memory = fresh;

	secret_random(memory->key, sizeof(memory->key));
	return robust_lock_init(&memory->lock) == STATUS_OK;
}

static enum status open_memory(const char *file, const struct shared_layout *layout, void **out)
{
	enum status status;
	const char *why;

	if (file && *file) {
		status = shared_memory_open(file, layout, fill, out, &why);
		if (status != STATUS_OK)
			log_error("the shared limits' file %s cannot be used: %s; set "
				  "BANTER_SHARED_FILE to another path",
				  file, why);
		return status;
	}
	*out = shared_memory_new(layout->bytes);
	if (!*out)
		return STATUS_NOMEM;
	return fill(*out) ? STATUS_OK : STATUS_FAILED;
}

enum status limit_open(const char *file, uint32_t holders, struct limit **out)
{
	struct shared_layout layout = layout_of(holders);
	struct limit *limit = calloc(1, sizeof(*limit));
	void *memory = NULL;
	enum status status;

	if (!limit)
		return STATUS_NOMEM;
	status = open_memory(file, &layout, &memory);
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
