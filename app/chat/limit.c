/*
 * Windows and caps over the shared table.  Where the table cannot help (no lock, no free place) a
 * request passes: a limit that fails must not become an outage.
 */
#include "chat/limit.h"

#include "base/clock.h"
#include "chat/limit_table.h"

static int64_t seconds_until(int64_t end, int64_t now)
{
	int64_t seconds = (end - now + 999) / 1000;

	return seconds < 1 ? 1 : seconds;
}

/* A window longer than it may be now (the settings were changed) ends when a new one would. */
static bool window_runs(struct limit_entry *entry, int64_t now, int64_t window_ms)
{
	if (entry->ends > now + window_ms)
		entry->ends = now + window_ms;
	return entry->ends > now;
}

bool limit_count(struct limit *limit, enum limit_kind kind, struct str who, int64_t most,
		 int64_t window_ms, int64_t *retry_s)
{
	struct limit_entry *entry;
	struct siphash name;
	bool within = true;
	int64_t now;

	if (most <= 0)
		return true;
	name = limit_table_name(limit, kind, who);
	if (!limit_table_lock(limit))
		return true;
	now = clock_ms();
	entry = limit_table_get(limit, name);
	if (entry) {
		if (!window_runs(entry, now, window_ms)) {
			entry->count = 0;
			ROBUST_LOCK_ORDER();
			entry->ends = now + window_ms;
		}
		entry->count++;
		within = entry->count <= most;
		if (!within)
			*retry_s = seconds_until(entry->ends, now);
	}
	limit_table_unlock(limit);
	return within;
}

enum status limit_take_holder(struct limit *limit, uint32_t *holder)
{
	enum status status = STATUS_UNAVAILABLE;
	uint32_t i;

	if (!limit_table_lock(limit))
		return STATUS_UNAVAILABLE;
	for (i = 0; i < limit->holders; i++) {
		if (limit_table_alive(limit, i, true))
			continue;
		limit_table_release(limit, i);
		limit_table_claim(limit, i);
		*holder = i;
		status = STATUS_OK;
		break;
	}
	limit_table_unlock(limit);
	return status;
}

/*
 * Gives back what dead processes hold of `entry`: where no master does it, nobody else would before
 * the next one starts.
 */
static void release_dead(struct limit *limit, const struct limit_entry *entry)
{
	uint32_t index = (uint32_t)(entry - limit->memory->entries), h, i;
	struct limit_holder *holder;

	for (h = 0; h < limit->holders; h++) {
		holder = &limit->memory->holders[h];
		for (i = 0; i < holder->n && i < LIMIT_HOLDS; i++)
			if (holder->holds[i].entry == index)
				break;
		if (i < holder->n && !limit_table_alive(limit, h, false))
			limit_table_release(limit, h);
	}
}

bool limit_hold(struct limit *limit, uint32_t holder, enum limit_kind kind, struct str who,
		int64_t most)
{
	struct limit_entry *entry;
	struct siphash name;
	bool held = true;

	if (most <= 0 || holder >= limit->holders)
		return true;
	name = limit_table_name(limit, kind, who);
	if (!limit_table_lock(limit))
		return true;
	limit_table_claim(limit, holder);
	entry = limit_table_get(limit, name);
	if (entry && entry->open >= most)
		release_dead(limit, entry);
	if (entry)
		held = entry->open < most && limit_table_hold(limit, holder, entry);
	limit_table_unlock(limit);
	return held;
}

void limit_give(struct limit *limit, uint32_t holder, enum limit_kind kind, struct str who)
{
	if (!limit_table_holds(limit, holder) || !limit_table_lock(limit))
		return;
	limit_table_give(limit, holder, limit_table_name(limit, kind, who));
	limit_table_unlock(limit);
}

void limit_release(struct limit *limit, uint32_t holder)
{
	if (!limit_table_holds(limit, holder) || !limit_table_lock(limit))
		return;
	limit_table_release(limit, holder);
	limit_table_unlock(limit);
}

int64_t limit_open_of(struct limit *limit, enum limit_kind kind, struct str who)
{
	const struct limit_entry *entry;
	int64_t open = 0;

	if (!limit_table_lock(limit))
		return 0;
	entry = limit_table_find(limit, limit_table_name(limit, kind, who));
	if (entry)
		open = entry->open;
	limit_table_unlock(limit);
	return open;
}
