/* One look over the state (master.c), then what follows from it.  Rests on nothing. */
#include "pool/master_decide.h"

#include "base/clock.h"

#define LOOK_MS 20 /* while children are exchanged: how often it is asked whether a new one is up */
#define STUCK_MS 5000 /* for one that is stuck, to end by itself */
#define WATCH_MS 5000 /* how often it is looked whether the children get on, at least */

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

static uint32_t wanted(const struct master *master, enum child_kind kind)
{
	return kind == CHILD_WORKER ? master->workers : master->plan.wanted[kind];
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

	return child->told >= TOLD_END || !most ? CLOCK_NEVER : now + most - child->silence;
}

/* What that child is to be told now, if anything. */
static enum master_act due(const struct master *master, const struct master_child *child,
			   int64_t now)
{
	if (child->told != TOLD_NOTHING && now >= child->kill_at)
		return child->kill_at == MASTER_AT_ONCE ? MASTER_KILL_NOW : MASTER_KILL;
	if (master->phase == MASTER_HURRYING && child->told < TOLD_NOW)
		return MASTER_END_NOW;
	if (master->phase == MASTER_DRAINING && child->told < TOLD_END)
		return MASTER_END;
	if (master->phase == MASTER_LEAVING && child->told < TOLD_RETIRE)
		return MASTER_RETIRE;
	return now >= stuck_at(child, now) ? MASTER_STUCK : MASTER_WAIT;
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
		master_tally_add(master, child, count);
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
		child->kill_at = now + child->times.longest + MASTER_GRACE_MS;
		break;
	case MASTER_END:
		child->told = TOLD_END;
		child->kill_at = now + child->times.drain + MASTER_GRACE_MS;
		break;
	case MASTER_END_NOW:
		child->told = TOLD_NOW;
		child->stuck = false; /* whatever it gets on with is over */
		child->kill_at = clock_earlier(child->kill_at, now + MASTER_GRACE_MS);
		break;
	case MASTER_STUCK:
		if (child->told == TOLD_NOTHING)
			backoff_after_death(&master->backoffs[child->kind], child->up, child->born,
					    now);
		child->told = TOLD_END;
		child->stuck = true;
		child->kill_at = now + STUCK_MS;
		decision.at = child->silence;
		break;
	default: /* it is killed once */
		child->told = TOLD_NOW;
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
		if (now < master->backoffs[kind].start_at)
			decision.at = master->backoffs[kind].start_at;
		else if (view->free < master->places &&
			 (kind != CHILD_WORKER || count->living < master->places - MASTER_OTHERS))
			decision.act = MASTER_START;
		/* Where no place is free, a death wakes us. */
	}
	return decision;
}

/*
 * Once all workers are up, of this generation only. One that was told and is idle may still take a
 * connection before it hears it.
 */
static struct master_decision become_ready(struct master *master, const struct view *view,
					   int64_t now)
{
	const struct master_tally *count = &view->tally[CHILD_WORKER];
	struct master_decision decision = { .act = MASTER_WAIT, .at = CLOCK_NEVER };

	if (master->ready)
		return decision;
	if (count->old || count->deaf || count->starting || count->fresh < master->workers) {
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
	uint32_t least = master->plan.wanted[CHILD_WORKER];
	int64_t due_at = now + master->plan.idle_ms;

	if (master->workers == least || count->old)
		return decision;
	if (view->idle < master->places)
		due_at = clock_earlier(master->all[view->idle].idle_since, now) +
			 master->plan.idle_ms;
	if (due_at > now) {
		decision.at = due_at;
		return decision;
	}
	if (count->fresh < master->workers) /* who could not be made is not wanted any more */
		master->workers = count->fresh > least ? count->fresh : least;
	if (master->workers == least)
		return decision;
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

/* ... leaving, and draining. */
static struct master_decision end(const struct master *master, const struct view *view, int64_t now)
{
	struct master_decision wait = { .act = MASTER_WAIT, .at = view->next };

	if (!view->living)
		wait.act = MASTER_OVER;
	else if (master->phase >= MASTER_DRAINING && now < master->away_at)
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
