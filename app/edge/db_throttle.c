/*
 * Who may connect now.  Each change is one store to the process's own entry or to a number of which
 * any value will do, so a death under the lock leaves nothing to mend.
 */
#include "edge/db_throttle.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define LAYOUT_VERSION 1
/* Who holds the lock and stands still must not stop them all: then one goes unasked. */
#define LOCK_MS 1000
/* Who is late by that much waits no more; who asks again before keeps its turn. */
#define LATE_MS 500
#define SLEEP_MOST_MS 100
/* So many times as long as connecting a first statement takes, most often less. */
#define FIRST 8
#define FIRST_LEAST_MS 20
/* Connecting is slow when it takes so many times as long as it did. */
#define SLOW 2
#define REST_MS 50
#define FULL_MS 1000

static struct shared_layout layout_of(uint32_t places)
{
	struct shared_layout layout = shared_layout_of(
		"banter-d", LAYOUT_VERSION,
		sizeof(struct db_throttle_memory) + places * sizeof(struct db_throttle_one));

	layout.sizes[0] = places;
	shared_layout_boot(&layout);
	return layout;
}

static bool fill(void *fresh)
{
	struct db_throttle_memory *memory = fresh;

	memory->few = DB_THROTTLE_FEW;
	memory->usual_ms = 1;
	return robust_lock_init(&memory->lock) == STATUS_OK;
}

enum status db_throttle_open(const char *file, uint32_t places, struct db_throttle **out,
			     const char **why)
{
	struct shared_layout layout = layout_of(places);
	struct db_throttle *throttle = calloc(1, sizeof(*throttle));
	void *memory = NULL;
	enum status status = STATUS_NOMEM;

	if (throttle)
		status = shared_memory_open(file, &layout, fill, &memory, why);
	if (status) {
		free(throttle);
		return status;
	}
	*throttle = (struct db_throttle){ memory, places };
	*out = throttle;
	return STATUS_OK;
}

void db_throttle_close(struct db_throttle *throttle)
{
	if (throttle)
		shared_memory_free(throttle->memory, layout_of(throttle->places).bytes);
	free(throttle);
}

static void mend(void *context)
{
	(void)context;
}

static bool lock(struct db_throttle *throttle)
{
	return robust_lock_take(&throttle->memory->lock, LOCK_MS, mend, NULL) == STATUS_OK;
}

static bool holds(const struct db_throttle_one *one, int64_t now)
{
	return now < one->held_until;
}

static bool waits(const struct db_throttle_one *one, int64_t now)
{
	return one->since && now < one->by + LATE_MS;
}

/* How many connect, and how many wait since before that one. */
static int64_t before(const struct db_throttle *throttle, uint32_t place, int64_t now)
{
	const struct db_throttle_one *all = throttle->memory->all, *own = &all[place];
	int64_t count = 0;
	uint32_t i;

	for (i = 0; i < throttle->places; i++) {
		const struct db_throttle_one *one = &all[i];
		bool first = one->since < own->since || (one->since == own->since && i < place);

		if (i != place && (holds(one, now) || (waits(one, now) && first)))
			count++;
	}
	return count;
}

/* Half of what it will take, since it may be quicker than was reckoned. */
static int64_t sleep_of(const struct db_throttle_memory *memory, int64_t ahead, int64_t now)
{
	int64_t rounds = ahead / (memory->few > 0 ? memory->few : 1) + 1,
		ms = rounds * memory->usual_ms / 2;

	if (now < memory->rest_until && ms < memory->rest_until - now)
		ms = memory->rest_until - now;
	return ms < 1 ? 1 : ms > SLEEP_MOST_MS ? SLEEP_MOST_MS : ms;
}

int64_t db_throttle_take(struct db_throttle *throttle, uint32_t place, int64_t most_ms)
{
	struct db_throttle_memory *memory = throttle->memory;
	struct db_throttle_one *own = &memory->all[place];
	int64_t now = clock_ms(), ahead, ms = 0;

	if (!lock(throttle))
		return 0;
	if (!waits(own, now))
		own->since = now;
	ahead = before(throttle, place, now) - memory->few;
	if (ahead >= 0 || now < memory->rest_until) {
		ms = sleep_of(memory, ahead > 0 ? ahead : 0, now);
		own->by = now + ms;
	} else {
		own->held_at = now;
		own->held_until = now + most_ms;
		own->since = 0;
	}
	robust_lock_give(&memory->lock);
	return ms;
}

static void learn(struct db_throttle_memory *memory, int64_t took)
{
	int64_t us = took * 1000; /* or a 64th of it would be nothing, most often */
	bool slow;

	memory->usual_ms += (took - memory->usual_ms) / 4;
	if (memory->usual_ms < 1)
		memory->usual_ms = 1;
	if (!memory->quick_us || us < memory->quick_us)
		memory->quick_us = us;
	else /* a database may have moved farther away */
		memory->quick_us += (us - memory->quick_us) / 64;
	slow = us > SLOW * memory->quick_us;
	if (slow && memory->few > DB_THROTTLE_FEW)
		memory->few = memory->few / 2 > DB_THROTTLE_FEW ? memory->few / 2 : DB_THROTTLE_FEW;
	else if (memory->few < DB_THROTTLE_FEW || (!slow && memory->few < DB_THROTTLE_MANY))
		memory->few++;
}

void db_throttle_reached(struct db_throttle *throttle, uint32_t place)
{
	struct db_throttle_one *own = &throttle->memory->all[place];
	int64_t now = clock_ms(), ms = FIRST * (now - own->held_at);

	if (!own->held_at || !lock(throttle))
		return;
	own->held_until =
		clock_earlier(own->held_until, now + (ms > FIRST_LEAST_MS ? ms : FIRST_LEAST_MS));
	robust_lock_give(&throttle->memory->lock);
}

void db_throttle_end(struct db_throttle *throttle, uint32_t place, enum db_throttle_outcome how)
{
	struct db_throttle_memory *memory = throttle->memory;
	struct db_throttle_one *own = &memory->all[place];
	int64_t now = clock_ms(), took;

	if (!own->held_at || !lock(throttle))
		return;
	if (how == DB_THROTTLE_MADE) {
		took = clock_earlier(now, own->held_until) - own->held_at;
		learn(memory, took > 0 ? took : 1);
	} else if (how == DB_THROTTLE_FULL || how == DB_THROTTLE_AWAY) {
		memory->few = 1;
		memory->rest_until = now + REST_MS;
		if (how == DB_THROTTLE_FULL)
			atomic_store(&memory->full_until, now + FULL_MS);
	}
	own->held_at = own->held_until = 0;
	robust_lock_give(&memory->lock);
}

bool db_throttle_full(const struct db_throttle *throttle)
{
	return clock_ms() < atomic_load(&throttle->memory->full_until);
}
