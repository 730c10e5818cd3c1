/* The master's state machine.  Rests on nothing: whoever calls it has the processes and the clock. */
#include "pool/master.h"

#include "base/clock.h"

#define LOOK_MS 20 /* while children are exchanged: how often it is asked whether a new one is up */
#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS 30000
#define YOUNG_MS 10000 /* who dies before this age may well die again at once */
/* Beyond its own time, before a child is killed: to store its end (chat/turn) and say it. */
#define GRACE_MS 20000
#define AT_ONCE INT64_MIN
#define STUCK_MS 5000 /* for one that is stuck, to end by itself */
#define WATCH_MS 5000 /* how often it is looked whether the children get on, at least */
#define LATE_MS 1000  /* a master that runs is asked again within this time of when it wanted */

/* All that one look over the places finds. */
struct view {
	struct master_tally tally[CHILD_KINDS];
	struct master_decision told; /* what a child is to be told by now; else MASTER_WAIT */
	int64_t next;		     /* when there may be something to tell one */
	uint32_t living;
	uint32_t old[CHILD_KINDS]; /* the first place of each tally's */
	uint32_t idle; /* the worker's place who has been so the longest, of the fresh */
	uint32_t free; /* the first place; `places`: none */
};

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

static uint32_t wanted(const struct master *master, enum child_kind kind)
{
	return kind == CHILD_WORKER ? master->workers : master->plan.wanted[kind];
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

static void grow_pause(struct master_pause *pause, int64_t now)
{
	pause->ms = pause->ms ? pause->ms * 2 : PAUSE_FIRST_MS;
	if (pause->ms > PAUSE_MOST_MS)
		pause->ms = PAUSE_MOST_MS;
	pause->start_at = now + pause->ms;
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
	grow_pause(&master->pauses[kind], now);
	return master->pauses[kind].ms;
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
		child->kill_at = master->looked_at + child->times.drain + GRACE_MS;
	child->stuck = false;
}

void master_stopped(struct master *master, uint32_t place, bool stopped)
{
	master->all[place].stopped = stopped;
	master->all[place].silence = 0;
}

void master_waited(struct master *master, uint64_t connections)
{
	uint64_t room = master->plan.most - master->workers;

	master->workers += (uint32_t)(connections < room ? connections : room);
}

int64_t master_pause_left(const struct master *master, enum child_kind kind, int64_t now)
{
	int64_t start_at = master->pauses[kind].start_at;

	return start_at > now ? start_at - now : 0;
}

bool master_grows(const struct master *master)
{
	return master->phase == MASTER_SERVING && master->workers < master->plan.most;
}

/* After a death that nobody asked for: sets when the next of its kind may start. */
static void pause_after(struct master_pause *pause, const struct master_child *child, int64_t now)
{
	if (now - child->born >= YOUNG_MS) {
		pause->ms = 0;
		grow_pause(pause, now);
	} else if (now >= pause->start_at) {
		/*
		 * Many that die of one cause at one time make it grow once: the others wait with
		 * the first.
		 */
		grow_pause(pause, now);
	}
}

int64_t master_died(struct master *master, uint32_t place, bool well, bool served, int64_t now)
{
	struct master_child *child = &master->all[place];
	enum child_kind kind = child->kind;
	struct master_pause *pause = &master->pauses[kind];
	bool unasked = child->told == TOLD_NOTHING && master->phase == MASTER_SERVING;

	if (unasked && !well)
		pause_after(pause, child, now);
	/* One that ends at once without having served anything must not make us fork without end. */
	if (unasked && well && !served && now - child->born < PAUSE_FIRST_MS &&
	    pause->start_at < now + PAUSE_FIRST_MS)
		pause->start_at = now + PAUSE_FIRST_MS;
	*child = (struct master_child){ .lives = false };
	if (!unasked)
		return -1;
	return master_pause_left(master, kind, now);
}

void master_drain(struct master *master, int64_t patience_ms, int64_t now)
{
	if (master->phase == MASTER_DRAINING)
		return;
	master->phase = MASTER_DRAINING;
	master->away_at = patience_ms == CLOCK_NEVER ? CLOCK_NEVER : now + patience_ms;
}

void master_hurry(struct master *master)
{
	uint32_t i;

	for (i = 0; i < master->places; i++) {
		if (!master->all[i].lives)
			continue;
		master->all[i].told = TOLD_END;
		master->all[i].kill_at = AT_ONCE;
	}
}

bool master_turns_away(const struct master *master, int64_t now)
{
	return master->phase == MASTER_DRAINING && now >= master->away_at;
}

static struct master_decision of_place(const struct master *master, enum master_act act,
				       uint32_t place)
{
	return (struct master_decision){ act, master->all[place].kind, place, 0 };
}

/* How long it may make no step; 0: for ever. One that is stopped does not get on whatever it does. */
static int64_t patience(const struct master_child *child)
{
	if (child->stopped)
		return child->times.stopped;
	return (unsigned)child->at < STAGE_COUNT ? child->times.silent[child->at] : 0;
}

/* When it is stuck, if it goes on like that; CLOCK_NEVER: it is told to end already, or may be so. */
static int64_t stuck_at(const struct master_child *child, int64_t now)
{
	int64_t most = patience(child);

	return child->told == TOLD_END || !most ? CLOCK_NEVER : now + most - child->silence;
}

/* What that child is to be told now, if anything. */
static enum master_act due(const struct master *master, const struct master_child *child,
			   int64_t now)
{
	if (child->told != TOLD_NOTHING && now >= child->kill_at)
		return child->kill_at == AT_ONCE ? MASTER_KILL_NOW : MASTER_KILL;
	if (master->phase == MASTER_DRAINING && child->told != TOLD_END)
		return MASTER_END;
	return now >= stuck_at(child, now) ? MASTER_STUCK : MASTER_WAIT;
}

static void tally(const struct master *master, const struct master_child *child,
		  struct master_tally *count)
{
	count->living++;
	if (child->told != TOLD_NOTHING)
		return;
	if (child->generation != master->generation) {
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
			tally(master, &master->all[i], &count);
	return count;
}

static void look(const struct master *master, int64_t now, struct view *view)
{
	const struct master_child *child;
	struct master_tally *count;
	int64_t idle = CLOCK_NEVER;
	enum master_act act;
	uint32_t i, old, fresh;

	*view = (struct view){
		.next = CLOCK_NEVER,
		.free = master->places,
		.idle = master->places,
	};
	for (i = 0; i < master->places; i++) {
		child = &master->all[i];
		if (!child->lives) {
			if (view->free == master->places)
				view->free = i;
			continue;
		}
		count = &view->tally[child->kind];
		old = count->old;
		fresh = count->fresh;
		tally(master, child, count);
		if (count->old && !old)
			view->old[child->kind] = i;
		if (child->kind == CHILD_WORKER && count->fresh > fresh &&
		    child->idle_since < idle) {
			idle = child->idle_since;
			view->idle = i;
		}
		view->living++;
		view->next = clock_earlier(view->next,
					   clock_earlier(child->kill_at, stuck_at(child, now)));
		act = view->told.act == MASTER_WAIT ? due(master, child, now) : MASTER_WAIT;
		if (act != MASTER_WAIT)
			view->told = of_place(master, act, i);
	}
}

/* Writes down what a child is told. */
static struct master_decision tell(struct master *master, struct master_decision decision,
				   int64_t now)
{
	struct master_child *child = &master->all[decision.place];

	switch (decision.act) {
	case MASTER_RETIRE:
		child->told = TOLD_RETIRE;
		child->kill_at = now + child->times.longest + GRACE_MS;
		break;
	case MASTER_END:
		child->told = TOLD_END;
		child->kill_at = now + child->times.drain + GRACE_MS;
		break;
	case MASTER_STUCK:
		if (child->told == TOLD_NOTHING)
			pause_after(&master->pauses[child->kind], child, now);
		child->told = TOLD_END;
		child->stuck = true;
		child->kill_at = now + STUCK_MS;
		decision.at = child->silence;
		break;
	default: /* it is killed once */
		child->told = TOLD_END;
		child->kill_at = CLOCK_NEVER;
	}
	return decision;
}

/*
 * One step towards as many of a kind as are wanted, all of this generation. While old ones are
 * exchanged, a new one must be up before the next old one is told to end: settings that no worker
 * can start with cost none of the old.
 */
static struct master_decision even_out(const struct master *master, const struct view *view,
				       enum child_kind kind, int64_t now)
{
	struct master_decision decision = { MASTER_WAIT, kind, view->free, CLOCK_NEVER };
	const struct master_tally *count = &view->tally[kind];
	uint32_t want = wanted(master, kind);

	if (count->old && count->starting) {
		decision.at = now + LOOK_MS;
	} else if (count->old && count->fresh + count->old > want) {
		decision.act = MASTER_RETIRE;
		decision.place = view->old[kind];
	} else if (count->fresh < want) {
		/* Retired ones may be many, and for long: the admission process finds a place all the same. */
		if (now < master->pauses[kind].start_at)
			decision.at = master->pauses[kind].start_at;
		else if (view->free < master->places &&
			 (kind != CHILD_WORKER || count->living < master->places - MASTER_OTHERS))
			decision.act = MASTER_START;
		/* Where no place is free, a death wakes us. */
	}
	return decision;
}

/* Once all workers are up, of this generation only. */
static struct master_decision become_ready(struct master *master, const struct view *view,
					   int64_t now)
{
	const struct master_tally *count = &view->tally[CHILD_WORKER];
	struct master_decision decision = { .act = MASTER_WAIT, .at = CLOCK_NEVER };

	if (master->ready)
		return decision;
	if (count->old || count->starting || count->fresh < master->workers) {
		decision.at = now + LOOK_MS;
		return decision;
	}
	master->ready = true;
	decision.act = MASTER_READY;
	return decision;
}

/*
 * A worker that was made for a crowd goes when that has been gone for a while: the one that has had
 * nothing to do for the longest, one at a time.
 */
static struct master_decision shrink(struct master *master, const struct view *view, int64_t now)
{
	const struct master_tally *count = &view->tally[CHILD_WORKER];
	struct master_decision decision = { MASTER_WAIT, CHILD_WORKER, view->idle, CLOCK_NEVER };
	int64_t due_at = now + master->plan.idle_ms;

	if (master->workers == master->plan.wanted[CHILD_WORKER] || count->old)
		return decision;
	if (view->idle < master->places)
		due_at = master->all[view->idle].idle_since + master->plan.idle_ms;
	if (due_at > now) {
		decision.at = due_at;
		return decision;
	}
	master->workers--;
	decision.act = MASTER_RETIRE;
	return decision;
}

/* While serving. */
static struct master_decision serve(struct master *master, const struct view *view, int64_t now)
{
	struct master_decision decision;
	int64_t next = view->next;
	int kind;

	for (kind = 0; kind < CHILD_KINDS; kind++) {
		decision = even_out(master, view, (enum child_kind)kind, now);
		if (decision.act == MASTER_RETIRE)
			return tell(master, decision, now);
		if (decision.act != MASTER_WAIT)
			return decision;
		next = clock_earlier(next, decision.at);
	}
	decision = shrink(master, view, now);
	if (decision.act == MASTER_RETIRE)
		return tell(master, decision, now);
	next = clock_earlier(next, decision.at);
	decision = become_ready(master, view, now);
	decision.at = clock_earlier(next, decision.at);
	return decision;
}

/* ... and draining. */
static struct master_decision end(const struct master *master, const struct view *view, int64_t now)
{
	struct master_decision wait = { .act = MASTER_WAIT, .at = view->next };

	if (!view->living)
		wait.act = MASTER_OVER;
	else if (now < master->away_at)
		wait.at = clock_earlier(wait.at, master->away_at);
	return wait;
}

struct master_decision master_decide(struct master *master, int64_t now)
{
	struct master_decision decision;
	struct view view;

	look(master, now, &view);
	if (view.told.act != MASTER_WAIT)
		return tell(master, view.told, now);
	if (master->phase == MASTER_SERVING)
		decision = serve(master, &view, now);
	else
		decision = end(master, &view, now);
	/* Who is idle now may soon be busy, and stuck. */
	if (decision.act == MASTER_WAIT && master->plan.times.stopped)
		decision.at = clock_earlier(decision.at, now + WATCH_MS);
	master->look_at = decision.act == MASTER_WAIT ? decision.at : now;
	return decision;
}
