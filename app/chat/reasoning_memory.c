/* A few entries under one lock, searched from end to end.  Rests on base/robust_lock and siphash. */
#include "chat/reasoning_memory.h"

#include <stdatomic.h>
#include <string.h>

#include "base/count.h"
#include "base/log.h"
#include "base/secret.h"

#define LOCK_MS 1000 /* as chat/limit: who holds it and stands still must not stop them all */

enum status reasoning_memory_init(struct reasoning_memory *memory)
{
	secret_random(memory->key, sizeof(memory->key));
	return robust_lock_init(&memory->lock);
}

struct reasoning_subject reasoning_memory_subject(const struct reasoning_memory *memory,
						  struct str server, struct str url,
						  struct str model, struct str conversation)
{
	const struct str parts[] = { server, url, model };
	struct siphash hashes[COUNT(parts)];
	size_t i;

	for (i = 0; i < COUNT(parts); i++)
		hashes[i] = siphash_of(memory->key, parts[i]);
	return (struct reasoning_subject){
		.name = siphash_of(memory->key,
				   (struct str){ (const char *)hashes, sizeof(hashes) }),
		.conversation = siphash_of(memory->key, conversation).low,
	};
}

/* A process died in the middle of a change: what was learned is learned again. */
static void mend(void *context)
{
	struct reasoning_memory *memory = context;

	memset(memory->entries, 0, sizeof(memory->entries));
}

static bool lock(struct reasoning_memory *memory)
{
	enum status status = robust_lock_take(&memory->lock, LOCK_MS, mend, memory);

	if (status)
		log_error("what is known of models' reasoning cannot be locked: %s",
			  status_name(status));
	return status == STATUS_OK;
}

/* No model here was ever seen to reason: most hosts' case, in which nobody waits for anybody. */
static bool untold(struct reasoning_memory *memory)
{
	return !atomic_load_explicit(&memory->clock, memory_order_relaxed);
}

static struct reasoning_entry *find(struct reasoning_memory *memory, struct siphash name)
{
	struct reasoning_entry *entry = memory->entries, *end = entry + REASONING_ENTRIES;

	for (; entry < end; entry++)
		if (entry->told && siphash_equal(entry->name, name))
			return entry;
	return NULL;
}

static struct reasoning_entry *make(struct reasoning_memory *memory, struct siphash name)
{
	struct reasoning_entry *oldest = memory->entries, *end = oldest + REASONING_ENTRIES, *at;

	for (at = oldest; at < end; at++)
		if (at->told < oldest->told)
			oldest = at;
	*oldest = (struct reasoning_entry){ .name = name };
	return oldest;
}

/* `count` is shared: one gone wild is no index. */
static bool known(const struct reasoning_entry *entry)
{
	return entry && entry->count >= REASONING_CONVERSATIONS;
}

bool reasoning_memory_knows(struct reasoning_memory *memory,
			    const struct reasoning_subject *subject)
{
	struct reasoning_entry *entry;
	bool knows;

	if (untold(memory) || !lock(memory))
		return false;
	entry = find(memory, subject->name);
	knows = known(entry);
	if (knows)
		entry->told = ++memory->clock;
	robust_lock_give(&memory->lock);
	return knows;
}

bool reasoning_memory_saw(struct reasoning_memory *memory, const struct reasoning_subject *subject)
{
	struct reasoning_entry *entry;
	bool learned = false;
	uint32_t i = 0;

	if (!lock(memory))
		return false;
	entry = find(memory, subject->name);
	if (!entry)
		entry = make(memory, subject->name);
	entry->told = ++memory->clock;
	while (!known(entry) && i < entry->count &&
	       entry->conversations[i] != subject->conversation)
		i++;
	if (!known(entry) && i == entry->count) {
		entry->conversations[entry->count++] = subject->conversation;
		learned = known(entry);
	}
	robust_lock_give(&memory->lock);
	return learned;
}

void reasoning_memory_missed(struct reasoning_memory *memory,
			     const struct reasoning_subject *subject)
{
	struct reasoning_entry *entry;

	if (untold(memory) || !lock(memory))
		return;
	entry = find(memory, subject->name);
	if (entry && !known(entry))
		entry->told = 0;
	robust_lock_give(&memory->lock);
}

bool reasoning_memory_forget(struct reasoning_memory *memory,
			     const struct reasoning_subject *subject)
{
	struct reasoning_entry *entry;
	bool knew;

	if (untold(memory) || !lock(memory))
		return false;
	entry = find(memory, subject->name);
	knew = known(entry);
	if (entry)
		entry->told = 0;
	robust_lock_give(&memory->lock);
	return knew;
}
