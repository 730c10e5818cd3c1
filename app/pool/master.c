/*
 * The master's state, and what is told to it.  What follows from that is master_decide.c's.  Rests on
 * nothing: whoever calls it has the processes and the clock.
 */
#include "pool/master.h"

#include "base/clock.h"

#define LATE_MS 1000 /* a master that runs is asked again within this time of when it wanted */

uint32_t master_places(uint32_t workers)
{
	return (workers * 2 > workers + 16 ? workers * 2 : workers + 16) + MASTER_OTHERS;
}

uint32_t master_most(uint32_t places)
{
	return places - MASTER_OTHERS - 1;
}

static uint32_t at_most(uint32_t count, uint32_t most)
{
	return count < most ? count : most;
}

/* Of workers, no more than there are places for. Those that there are stay. */
static void take_plan(struct master *master, const struct master_plan *plan)
{
	uint32_t most = at_most(plan->most, master_most(master->places));
	uint32_t least = at_most(plan->wanted[CHILD_WORKER], most);

	master->plan = *plan;
	master->plan.most = most;
	master->plan.wanted[CHILD_WORKER] = least;
	master->workers = at_most(master->workers > least ? master->workers : least, most);
}

void master_init(struct master *master, struct master_child *all, uint32_t places,
		 const struct master_plan *plan)
{
	*master = (struct master){ .all = all, .places = places };
	take_plan(master, plan);
}

void master_reload(struct master *master, const struct master_plan *plan)
{
	take_plan(master, plan);
	master->generation++;
	master->ready = false;
}

void master_born(struct master *master, enum child_kind kind, uint32_t place, int64_t now)
{
	master->all[place] = (struct master_child){
		.lives = true,
		.kind = kind,
		.generation = master->generation,
		.born = now,
		.times = master->plan.times,
		.idle_since = CLOCK_NEVER,
		.kill_at = CLOCK_NEVER,
	};
}

int64_t master_unborn(struct master *master, enum child_kind kind, int64_t now)
{
	backoff_grow(&master->backoffs[kind], now);
	return master->backoffs[kind].ms;
}

void master_look(struct master *master, int64_t now)
{
	int64_t passed = now - master->looked_at, late = now - master->look_at;
	struct master_child *child;
	uint32_t i;

	if (late < LATE_MS)
		late = 0;
	for (i = 0; i < master->places && master->looked_at; i++) {
		child = &master->all[i];
		child->silence += passed - late;
		if (child->stuck && child->kill_at < CLOCK_NEVER)
			child->kill_at += late;
	}
	master->looked_at = now;
}

void master_saw(struct master *master, uint32_t place, enum stage_at at, int64_t since,
		uint32_t steps)
{
	struct master_child *child = &master->all[place];

	child->up = child->up || at != STAGE_STARTING;
	child->idle_since = at == STAGE_IDLE ? since : CLOCK_NEVER;
	if (at == child->at && steps == child->steps)
		return;
	child->at = at;
	child->steps = steps;
	child->silence = 0;
	if (child->stuck && child->kill_at < CLOCK_NEVER) /* it was slow, and drains now */
		child->kill_at = master->looked_at + child->times.drain + MASTER_GRACE_MS;
	child->stuck = false;
}

void master_stopped(struct master *master, uint32_t place, bool stopped)
{
	master->all[place].stopped = stopped;
	master->all[place].silence = 0;
}

/* Whether it is a worker that takes no connection that waits now, but may take later ones. */
static bool is_busy(const struct master_child *child)
{
	return child->lives && child->kind == CHILD_WORKER && child->told == TOLD_NOTHING &&
	       child->up && (child->stopped || child->idle_since == CLOCK_NEVER);
}

void master_waiting(struct master *master, uint32_t connections)
{
	uint32_t i, want = at_most(connections, master->plan.most);

	for (i = 0; i < master->places && connections; i++)
		want += is_busy(&master->all[i]);
	if (connections && want > master->workers)
		master->workers = at_most(want, master->plan.most);
}

bool master_grows(const struct master *master)
{
	return master->phase == MASTER_SERVING && master->workers < master->plan.most;
}

int64_t master_died(struct master *master, uint32_t place, bool well, bool served, int64_t now)
{
	struct master_child *child = &master->all[place];
	struct backoff *backoff = &master->backoffs[child->kind];
	bool unasked = child->told == TOLD_NOTHING && master->phase == MASTER_SERVING;

	if (unasked && !well)
		backoff_after_death(backoff, child->up, child->born, now);
	if (unasked && well && !served)
		backoff_after_end(backoff, child->born, now);
	*child = (struct master_child){ .lives = false };
	if (!unasked)
		return -1;
	return backoff_left(backoff, now);
}

void master_leave(struct master *master)
{
	master->phase = MASTER_LEAVING;
}

void master_drain(struct master *master, int64_t patience_ms, int64_t now)
{
	if (master->phase >= MASTER_DRAINING)
		return;
	master->phase = MASTER_DRAINING;
	master->away_at = patience_ms == CLOCK_NEVER ? CLOCK_NEVER : now + patience_ms;
}

void master_hurry(struct master *master)
{
	master->phase = MASTER_HURRYING;
}

void master_kill(struct master *master)
{
	uint32_t i;

	for (i = 0; i < master->places; i++) {
		if (!master->all[i].lives)
			continue;
		master->all[i].told = TOLD_NOW;
		master->all[i].kill_at = MASTER_AT_ONCE;
	}
}

void master_tally_add(const struct master *master, const struct master_child *child,
		      struct master_tally *count)
{
	bool old = child->generation != master->generation;

	count->living++;
	if (child->told != TOLD_NOTHING) {
		count->deaf += old && child->idle_since != CLOCK_NEVER && !child->stopped;
		return;
	}
	if (old) {
		count->old++;
		return;
	}
	count->fresh++;
	if (!child->up)
		count->starting++;
}

struct master_tally master_count(const struct master *master, enum child_kind kind)
{
	struct master_tally count = { 0 };
	uint32_t i;

	for (i = 0; i < master->places; i++)
		if (master->all[i].lives && master->all[i].kind == kind)
			master_tally_add(master, &master->all[i], &count);
	return count;
}

bool master_turns_away(const struct master *master, int64_t now)
{
	return master->phase >= MASTER_DRAINING && now >= master->away_at;
}
