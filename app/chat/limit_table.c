/*
 * Entries and holders of the shared limits, under their lock.  Not for the mapping (limit_file.c)
 * nor for what the numbers mean (limit.c).  Rests on /proc for a process's birth.
 */
#include "chat/limit_table.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/*
 * A process died in the middle of a change: what is open is counted anew from the holders' lists.
 */
static void mend(void *context)
{
	struct limit *limit = context;
	struct limit_memory *memory = limit->memory;
	struct limit_holder *holder;
	uint32_t i, h;

	log_debug("a process died while it changed the shared limits: they are mended");
	for (i = 0; i < LIMIT_ENTRIES; i++)
		memory->entries[i].open = 0;
	for (h = 0; h < limit->holders; h++) {
		holder = &memory->holders[h];
		for (i = 0; i < holder->n && i < LIMIT_HOLDS; i++) {
			struct limit_held *hold = &holder->holds[i];

			if (hold->entry < LIMIT_ENTRIES &&
			    siphash_equal(memory->entries[hold->entry].name, hold->name))
				memory->entries[hold->entry].open++;
		}
	}
}

/* Who holds it and stands still (a debugger, a page that does not come) must not stop them all. */
#define LOCK_MS 1000

bool limit_table_lock(struct limit *limit)
{
	enum status status = robust_lock_take(&limit->memory->lock, LOCK_MS, mend, limit);

	if (status != STATUS_OK)
		log_error("the shared limits cannot be locked: %s", status_name(status));
	return status == STATUS_OK;
}

void limit_table_unlock(struct limit *limit)
{
	robust_lock_give(&limit->memory->lock);
}

bool limit_table_holds(const struct limit *limit, uint32_t holder)
{
	return holder < limit->holders && limit->memory->holders[holder].n > 0;
}

struct siphash limit_table_name(const struct limit *limit, enum limit_kind kind, struct str who)
{
	char bytes[256] = { (char)kind };
	struct siphash first;

	/* A longer name is replaced by its hash. */
	if (who.n > sizeof(bytes) - 1) {
		first = siphash_of(limit->memory->key, who);
		memcpy(bytes + 1, &first, sizeof(first));
		return siphash_of(limit->memory->key, (struct str){ bytes, sizeof(bytes) });
	}
	if (who.n)
		memcpy(bytes + 1, who.p, who.n);
	return siphash_of(limit->memory->key, (struct str){ bytes, 1 + who.n });
}

static struct limit_entry *set_of(struct limit *limit, struct siphash name)
{
	return &limit->memory->entries[name.low % (LIMIT_ENTRIES / LIMIT_WAYS) * LIMIT_WAYS];
}

struct limit_entry *limit_table_find(struct limit *limit, struct siphash name)
{
	struct limit_entry *set = set_of(limit, name);
	int i;

	for (i = 0; i < LIMIT_WAYS; i++)
		if (siphash_equal(set[i].name, name))
			return &set[i];
	return NULL;
}

struct limit_entry *limit_table_get(struct limit *limit, struct siphash name)
{
	struct limit_entry *entry = limit_table_find(limit, name), *set = set_of(limit, name);
	int i;

	if (entry)
		return entry;
	/*
	 * A window that is over ends before all that are not, and one that was never used has the
	 * end 0.
	 */
	for (i = 0; i < LIMIT_WAYS; i++)
		if (set[i].open <= 0 && (!entry || set[i].ends < entry->ends))
			entry = &set[i];
	if (!entry)
		return NULL;
	/* A death in between must not give the old window to the new name. */
	entry->ends = 0;
	entry->count = 0;
	ROBUST_LOCK_ORDER();
	entry->name = name;
	ROBUST_LOCK_ORDER();
	return entry;
}

bool limit_table_hold(struct limit *limit, uint32_t holder, struct limit_entry *entry)
{
	struct limit_holder *at = &limit->memory->holders[holder];

	if (at->n >= LIMIT_HOLDS)
		return false;
	at->holds[at->n] = (struct limit_held){
		.name = entry->name,
		.entry = (uint32_t)(entry - limit->memory->entries),
	};
	ROBUST_LOCK_ORDER();
	at->n++;
	ROBUST_LOCK_ORDER();
	entry->open++;
	return true;
}

/* Takes the last hold off the holder's list, which is not empty. */
static void drop_last(struct limit *limit, struct limit_holder *at)
{
	struct limit_held hold = at->holds[at->n - 1];
	struct limit_entry *entry;

	at->n--;
	ROBUST_LOCK_ORDER();
	if (hold.entry >= LIMIT_ENTRIES)
		return;
	entry = &limit->memory->entries[hold.entry];
	if (siphash_equal(entry->name, hold.name) && entry->open > 0)
		entry->open--;
	ROBUST_LOCK_ORDER();
}

static struct limit_holder *holder_at(struct limit *limit, uint32_t holder)
{
	struct limit_holder *at = &limit->memory->holders[holder];

	if (at->n > LIMIT_HOLDS)
		at->n = LIMIT_HOLDS;
	return at;
}

void limit_table_give(struct limit *limit, uint32_t holder, struct siphash name)
{
	struct limit_holder *at = holder_at(limit, holder);
	struct limit_held last;
	uint32_t i = at->n;

	while (i && !siphash_equal(at->holds[i - 1].name, name))
		i--;
	if (!i)
		return;
	/* A death in between has one hold twice or torn: it is released with the holder's others. */
	last = at->holds[at->n - 1];
	at->holds[at->n - 1] = at->holds[i - 1];
	at->holds[i - 1] = last;
	ROBUST_LOCK_ORDER();
	drop_last(limit, at);
}

void limit_table_release(struct limit *limit, uint32_t holder)
{
	struct limit_holder *at = holder_at(limit, holder);

	while (at->n)
		drop_last(limit, at);
}

/* The 22nd field of /proc/PID/stat: when the process began; 0 where that cannot be read. */
static uint64_t birth_of(pid_t pid)
{
	char path[32], text[1024];
	unsigned long long birth = 0;
	size_t n;
	char *at;
	FILE *file;
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	/* The second field is the program's name, which may hold anything. */
	at = strrchr(text, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		birth = strtoull(at, NULL, 10);
	return birth;
}

void limit_table_claim(struct limit *limit, uint32_t holder)
{
	struct limit_holder *at = &limit->memory->holders[holder];
	pid_t pid = getpid();

	if (at->pid == pid)
		return;
	at->pid = 0;
	ROBUST_LOCK_ORDER();
	at->birth = birth_of(pid);
	ROBUST_LOCK_ORDER();
	at->pid = pid;
}

bool limit_table_alive(const struct limit *limit, uint32_t holder, bool exactly)
{
	const struct limit_holder *at = &limit->memory->holders[holder];
	uint64_t birth;

	if (!at->pid || (kill(at->pid, 0) < 0 && errno == ESRCH))
		return false;
	birth = exactly && at->birth ? birth_of(at->pid) : 0;
	return !birth || birth == at->birth;
}
