/* The mapping, its layout and first filling; what is in it is its parts'.  Rests on base/shared_memory. */
#include "chat/model_shared.h"

#include "base/secret.h"

#define LAYOUT_VERSION 1

/* clock_ms() means nothing after a reboot. */
static struct shared_layout layout_of(void)
{
	struct shared_layout layout =
		shared_layout_of("banter-m", LAYOUT_VERSION, sizeof(struct model_shared));

	layout.sizes[0] = BREAKER_ENTRIES;
	layout.sizes[1] = REASONING_ENTRIES;
	shared_layout_boot(&layout);
	return layout;
}

static bool fill(void *fresh)
{
	struct model_shared *shared = fresh;

	secret_random(shared->key, sizeof(shared->key));
	return reasoning_memory_init(&shared->reasoning) == STATUS_OK;
}

enum status model_shared_open(const char *file, struct model_shared **out, const char **why)
{
	struct shared_layout layout = layout_of();
	void *memory = NULL;
	enum status status = shared_memory_open(file, &layout, fill, &memory, why);

	if (status == STATUS_OK)
		*out = memory;
	return status;
}

void model_shared_close(struct model_shared *shared)
{
	shared_memory_free(shared, sizeof(*shared));
}
