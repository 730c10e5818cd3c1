/* pool/master and pool/master_decide: the state machine of the master, told of children that are none. */
#include "unit.h"

#include "base/clock.h"
#include "pool/master_decide.h"

#define WORKERS 3
#define PLACES 64
#define LONGEST 600000
#define DRAIN 25000
#define GRACE 20000
#define START 1000000

static struct {
	struct master master;
	struct master_child all[PLACES];
	int64_t now;
} world;

#define IDLE 60000

static struct master_plan plan_for(uint32_t workers)
{
	return (struct master_plan){
		.wanted = { [CHILD_WORKER] = workers, [CHILD_ADMISSION] = 1 },
		.most = workers,
		.idle_ms = IDLE,
		.times = { .drain = DRAIN, .longest = LONGEST },
	};
}

static void begin(uint32_t workers, uint32_t places)
{
	struct master_plan plan = plan_for(workers);

	memset(&world, 0, sizeof(world));
	world.now = START;
	master_init(&world.master, world.all, places, &plan);
}

static void up(uint32_t place)
{
	master_saw(&world.master, place, STAGE_IDLE, world.now, 0);
}

static void busy(uint32_t place)
{
	master_saw(&world.master, place, STAGE_STREAM, world.now, 0);
}

static int set_up(void **state)
{
	(void)state;
	begin(WORKERS, master_places(WORKERS));
	return 0;
}

static struct master_decision decide(void)
{
	return master_decide(&world.master, world.now);
}

static struct master_decision must(enum master_act act)
{
	struct master_decision decision = decide();

	assert_int_equal(decision.act, act);
	return decision;
}

/* Nothing is to be done; returns in how many ms it wants to be asked again. */
static int64_t quiet(void)
{
	struct master_decision decision = must(MASTER_WAIT);

	return decision.at == CLOCK_NEVER ? -1 : decision.at - world.now;
}

static uint32_t born(enum child_kind kind)
{
	struct master_decision decision = must(MASTER_START);

	assert_int_equal(decision.kind, kind);
	assert_false(world.all[decision.place].lives);
	master_born(&world.master, kind, decision.place, world.now);
	return decision.place;
}

static void all_up(void)
{
	uint32_t i;

	for (i = 0; i < world.master.places; i++)
		if (world.all[i].lives)
			up(i);
}

static void started(void)
{
	uint32_t i;

	for (i = 0; i < WORKERS; i++)
		assert_int_equal(born(CHILD_WORKER), i);
	born(CHILD_ADMISSION);
	all_up();
	must(MASTER_READY);
	assert_int_equal(quiet(), -1);
}

/* Carries out all that is decided, with new ones up at once. */
static void carry_out(void)
{
	struct master_decision decision;

	while ((decision = decide()).act != MASTER_WAIT)
		if (decision.act == MASTER_START) {
			master_born(&world.master, decision.kind, decision.place, world.now);
			up(decision.place);
		}
}

static int64_t dies(uint32_t place, bool well, bool served)
{
	return master_died(&world.master, place, well, served, world.now);
}

static uint32_t living(void)
{
	uint32_t i, count = 0;

	for (i = 0; i < world.master.places; i++)
		count += world.all[i].lives;
	return count;
}

static void all_are_started_and_ready_is_said_once(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < WORKERS; i++)
		born(CHILD_WORKER);
	born(CHILD_ADMISSION);
	assert_int_equal(quiet(), 20);
	for (i = 0; i < WORKERS; i++) {
		assert_int_equal(quiet(), 20);
		up(i);
	}
	must(MASTER_READY); /* the admission process is not waited for */
	assert_int_equal(quiet(), -1);
	world.now += 1000000;
	assert_int_equal(quiet(), -1);
}

static void what_cannot_be_forked_is_tried_again_after_a_pause_that_grows(void **state)
{
	static const int64_t pauses[] = { 100,	200,   400,   800,   1600, 3200,
					  6400, 12800, 25600, 30000, 30000 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(pauses); i++) {
		assert_int_equal(must(MASTER_START).kind, CHILD_WORKER);
		assert_int_equal(master_unborn(&world.master, CHILD_WORKER, world.now), pauses[i]);
		if (!i)
			born(CHILD_ADMISSION); /* has a pause of its own */
		quiet();
		world.now += pauses[i];
	}
	born(CHILD_WORKER);
}

static void a_pause_is_waited_for(void **state)
{
	(void)state;
	started();
	assert_int_equal(dies(1, false, true), 100);
	assert_int_equal(quiet(), 100);
	world.now += 99;
	assert_int_equal(quiet(), 1);
	world.now++;
	assert_int_equal(born(CHILD_WORKER), 1);
	assert_int_equal(quiet(), -1); /* it stays ready */
}

static void who_dies_young_makes_the_backoff_grow_and_who_was_old_does_not(void **state)
{
	int64_t expected = 100;
	int n;

	(void)state;
	started();
	for (n = 0; n < 12; n++) {
		assert_int_equal(dies(0, false, false), expected);
		world.now += expected;
		expected = expected * 2 < 30000 ? expected * 2 : 30000;
		born(CHILD_WORKER);
	}
	world.now += 10000;
	assert_int_equal(dies(0, false, false), 100);
}

static void who_comes_up_and_dies_young_is_soon_replaced(void **state)
{
	uint32_t place;
	int n;

	(void)state;
	started();
	for (n = 0, place = 0; n < 12; n++) {
		assert_true(dies(place, false, n % 2) <= 1000);
		world.now += 1000;
		place = born(CHILD_WORKER);
		up(place);
	}
}

static void many_that_die_at_once_wait_together(void **state)
{
	(void)state;
	started();
	assert_int_equal(dies(0, false, false), 100);
	world.now += 30;
	assert_int_equal(dies(1, false, false), 70);
	assert_int_equal(dies(2, false, false), 70);
	world.now += 70;
	born(CHILD_WORKER);
	born(CHILD_WORKER);
	born(CHILD_WORKER);
}

static void one_that_was_recycled_is_replaced_at_once(void **state)
{
	(void)state;
	started();
	assert_int_equal(dies(2, true, true), 0);
	assert_int_equal(born(CHILD_WORKER), 2);
	/* Also a young one that served; one that ends at once without having served is not followed without end. */
	assert_int_equal(dies(2, true, true), 0);
	assert_int_equal(born(CHILD_WORKER), 2);
	assert_int_equal(dies(2, true, false), 100);
	assert_int_equal(quiet(), 100);
}

static void a_reload_exchanges_one_by_one(void **state)
{
	struct master_plan plan = plan_for(WORKERS);
	uint32_t fresh, i;

	(void)state;
	started();
	master_reload(&world.master, &plan);
	for (i = 0; i < WORKERS; i++) {
		/* There is one more than are wanted, never one less. */
		fresh = born(CHILD_WORKER);
		if (!i)
			born(CHILD_ADMISSION); /* beside them */
		assert_int_equal(quiet(), 20);
		assert_int_equal(world.all[fresh].generation, 1);
		up(fresh);
		assert_int_equal(must(MASTER_RETIRE).place, i);
	}
	all_up();
	assert_int_equal(must(MASTER_RETIRE).kind, CHILD_ADMISSION);
	assert_int_equal(quiet(), 20);
	for (i = 1; i <= WORKERS; i++)
		assert_int_equal(dies(i, true, true), -1);
	busy(0); /* what runs is not waited for */
	must(MASTER_READY);
	assert_int_equal(quiet(), LONGEST + GRACE);
	assert_int_equal(dies(0, true, true), -1);
	assert_int_equal(quiet(), -1);
	assert_int_equal(living(), WORKERS + 1);
}

static void an_idle_one_that_has_not_heard_yet_might_still_serve(void **state)
{
	struct master_plan plan = plan_for(1);

	(void)state;
	begin(1, master_places(1));
	carry_out();
	master_reload(&world.master, &plan);
	carry_out();
	assert_false(world.master.ready);
	assert_int_equal(quiet(), 20);
	master_stopped(&world.master, 0, true); /* by a signal: it takes nobody */
	must(MASTER_READY);
}

static void settings_that_no_worker_can_start_with_cost_none_of_the_old(void **state)
{
	struct master_plan plan = plan_for(WORKERS);
	uint32_t fresh;
	int n;

	(void)state;
	started();
	master_reload(&world.master, &plan);
	for (n = 0; n < 20; n++) {
		fresh = born(CHILD_WORKER);
		if (!n)
			born(CHILD_ADMISSION);
		assert_int_equal(quiet(), 20);
		assert_true(dies(fresh, false, false) > 0);
		assert_true(quiet() > 0);
		assert_int_equal(master_count(&world.master, CHILD_WORKER).old, WORKERS);
		world.now += 30000;
	}
}

static void fewer_and_more_are_wanted_after_a_reload(void **state)
{
	struct master_plan plan = plan_for(1);
	struct master_decision decision;
	uint32_t told = 0;

	(void)state;
	started();
	master_reload(&world.master, &plan);
	while ((decision = decide()).act != MASTER_WAIT) {
		if (decision.act == MASTER_START) {
			master_born(&world.master, decision.kind, decision.place, world.now);
			up(decision.place);
		}
		told += decision.act == MASTER_RETIRE && decision.kind == CHILD_WORKER;
	}
	assert_int_equal(told, WORKERS);
	assert_int_equal(master_count(&world.master, CHILD_WORKER).fresh, 1);
	plan = plan_for(1000);
	plan.wanted[CHILD_ADMISSION] = 0;
	master_reload(&world.master, &plan);
	carry_out();
	/* As many as there is room for; the retired ones take theirs until they end. */
	assert_int_equal(master_most(master_places(WORKERS)), WORKERS + 15);
	assert_int_equal(world.master.plan.wanted[CHILD_WORKER], WORKERS + 15);
	assert_int_equal(master_count(&world.master, CHILD_WORKER).living, WORKERS + 16);
	assert_int_equal(master_count(&world.master, CHILD_ADMISSION).fresh, 0);
}

/* Retired workers may be many, and for long. */
static void the_admission_process_finds_a_place_where_workers_find_none(void **state)
{
	struct master_plan plan = plan_for(WORKERS);
	struct master_decision decision;
	int n;

	(void)state;
	started();
	for (n = 0; n < 20; n++) {
		master_reload(&world.master, &plan);
		while ((decision = decide()).act != MASTER_WAIT)
			if (decision.act == MASTER_START) {
				master_born(&world.master, decision.kind, decision.place,
					    world.now);
				up(decision.place);
			} else if (decision.act == MASTER_RETIRE &&
				   decision.kind == CHILD_ADMISSION) {
				dies(decision.place, true, true);
			}
	}
	assert_int_equal(master_count(&world.master, CHILD_WORKER).living, WORKERS + 16);
	assert_int_equal(master_count(&world.master, CHILD_ADMISSION).fresh, 1);
}

static void who_is_told_has_its_time_and_is_killed_once(void **state)
{
	struct master_plan plan = plan_for(WORKERS);
	uint32_t i;

	(void)state;
	started();
	master_reload(&world.master, &plan);
	carry_out();
	for (i = 0; i <= WORKERS; i++)
		busy(i);
	must(MASTER_READY);
	world.now += LONGEST + GRACE - 1;
	assert_int_equal(quiet(), 1);
	world.now++;
	for (i = 0; i <= WORKERS; i++)
		assert_int_equal(must(MASTER_KILL).place, i);
	assert_int_equal(quiet(), -1);
	assert_int_equal(dies(0, false, true), -1);
}

static void a_drain_tells_all_and_replaces_nobody(void **state)
{
	uint32_t i;

	(void)state;
	started();
	master_drain(&world.master, 0, world.now);
	assert_true(master_turns_away(&world.master, world.now));
	for (i = 0; i <= WORKERS; i++)
		assert_int_equal(must(MASTER_END).place, i);
	assert_int_equal(quiet(), DRAIN + GRACE);
	assert_int_equal(dies(0, false, true), -1);
	for (i = 1; i < WORKERS; i++)
		assert_int_equal(dies(i, true, true), -1);
	assert_int_equal(quiet(), DRAIN + GRACE);
	world.now += DRAIN + GRACE;
	assert_int_equal(must(MASTER_KILL).place, WORKERS);
	assert_int_equal(quiet(), -1);
	dies(WORKERS, false, false);
	must(MASTER_OVER);
}

static void those_that_retire_are_hurried_by_a_drain(void **state)
{
	struct master_plan plan = plan_for(WORKERS);

	(void)state;
	started();
	master_reload(&world.master, &plan);
	carry_out();
	master_drain(&world.master, 0, world.now);
	assert_int_equal(must(MASTER_END).place, 0);
	assert_int_equal(world.all[0].kill_at, world.now + DRAIN + GRACE);
}

static void on_a_kept_socket_they_wait_for_who_follows(void **state)
{
	(void)state;
	started();
	master_drain(&world.master, 5000, world.now);
	while (decide().act == MASTER_END)
		;
	assert_int_equal(quiet(), 5000);
	assert_false(master_turns_away(&world.master, world.now + 4999));
	assert_true(master_turns_away(&world.master, world.now + 5000));
	world.now += 5000;
	assert_int_equal(quiet(), DRAIN + GRACE - 5000);
	begin(WORKERS, master_places(WORKERS));
	master_drain(&world.master, CLOCK_NEVER, world.now);
	assert_false(master_turns_away(&world.master, world.now + 1000000000));
	must(MASTER_OVER);
}

static void who_leaves_is_over_with_the_last(void **state)
{
	uint32_t i;

	(void)state;
	started();
	master_leave(&world.master);
	for (i = 0; i <= WORKERS; i++)
		must(MASTER_RETIRE);
	for (i = 0; i <= WORKERS; i++) {
		must(MASTER_WAIT);
		assert_int_equal(dies(i, true, false), -1);
	}
	must(MASTER_OVER);
}

/* Those that retire too; and who does not hear it is killed once. */
static void told_twice_ends_what_runs_now(void **state)
{
	struct master_plan plan = plan_for(WORKERS);
	uint32_t i, count;

	(void)state;
	started();
	master_reload(&world.master, &plan);
	carry_out();
	count = living();
	master_drain(&world.master, 0, world.now);
	must(MASTER_END);
	world.now += 1000;
	master_hurry(&world.master);
	for (i = 0; i < count; i++)
		assert_int_equal(must(MASTER_END_NOW).place, i);
	assert_true(master_turns_away(&world.master, world.now));
	assert_false(master_grows(&world.master));
	assert_int_equal(quiet(), GRACE);
	master_drain(&world.master, 5000, world.now); /* it was told so already */
	assert_true(master_turns_away(&world.master, world.now));
	assert_int_equal(dies(0, true, true), -1);
	world.now += GRACE;
	for (i = 1; i < count; i++)
		assert_int_equal(must(MASTER_KILL).place, i);
	assert_int_equal(quiet(), -1);
	for (i = 1; i < count; i++)
		dies(i, false, true);
	must(MASTER_OVER);
}

static void told_twice_kills_all_at_once(void **state)
{
	uint32_t i;

	(void)state;
	started();
	master_drain(&world.master, 0, world.now);
	while (decide().act == MASTER_END)
		;
	master_kill(&world.master);
	for (i = 0; i <= WORKERS; i++)
		assert_int_equal(must(MASTER_KILL_NOW).place, i);
	assert_int_equal(quiet(), -1);
	for (i = 0; i <= WORKERS; i++)
		dies(i, false, false);
	must(MASTER_OVER);
}

/* From 3 to 8 workers. */
static void range(void)
{
	struct master_plan plan = plan_for(WORKERS);

	plan.most = 8;
	memset(&world, 0, sizeof(world));
	world.now = START;
	master_init(&world.master, world.all, master_places(8), &plan);
	carry_out();
}

static void all_busy(void)
{
	uint32_t i;

	for (i = 0; i < world.master.places; i++)
		if (world.all[i].lives && world.all[i].kind == CHILD_WORKER)
			busy(i);
}

/* All are busy, and so many connections wait. */
static void wait_for_more(uint32_t connections)
{
	all_busy();
	master_waiting(&world.master, connections);
}

/* After an upgrade: nobody is replaced, and nobody hurried, but by who asks for it. */
static void who_leaves_retires_all_and_replaces_nobody(void **state)
{
	uint32_t i;

	(void)state;
	range();
	wait_for_more(1);
	assert_true(dies(0, false, true) > 0);
	master_leave(&world.master);
	for (i = 1; i <= WORKERS; i++)
		assert_int_equal(must(MASTER_RETIRE).place, i);
	assert_int_equal(quiet(), LONGEST + GRACE);
	world.now += 60000; /* a pause that is over, and a pool that might shrink */
	master_waiting(&world.master, 1);
	assert_false(master_grows(&world.master));
	assert_false(master_turns_away(&world.master, world.now));
	assert_int_equal(quiet(), LONGEST + GRACE - 60000);
	assert_int_equal(dies(1, false, true), -1);
	master_drain(&world.master, 0, world.now);
	for (i = 2; i <= WORKERS; i++) {
		assert_int_equal(must(MASTER_END).place, i);
		dies(i, true, true);
	}
	must(MASTER_OVER);
	assert_true(master_turns_away(&world.master, world.now));
}

static void a_connection_that_waits_makes_a_worker_more_at_once(void **state)
{
	uint32_t i;

	(void)state;
	range();
	assert_int_equal(quiet(), -1);
	assert_true(master_grows(&world.master));
	for (i = 0; i < WORKERS; i++)
		busy(i);
	master_waiting(&world.master, 0);
	assert_int_equal(quiet(), -1);
	master_waiting(&world.master, 1);
	busy(born(CHILD_WORKER));
	assert_int_equal(quiet(), IDLE);
	master_waiting(&world.master, 2);
	busy(born(CHILD_WORKER));
	busy(born(CHILD_WORKER));
	assert_true(master_grows(&world.master));
	master_waiting(&world.master, UINT32_MAX); /* up to as many as there may be */
	busy(born(CHILD_WORKER));
	busy(born(CHILD_WORKER));
	assert_int_equal(quiet(), IDLE);
	assert_false(master_grows(&world.master));
	master_waiting(&world.master, 1);
	assert_int_equal(quiet(), IDLE);
	assert_int_equal(master_count(&world.master, CHILD_WORKER).fresh, 8);
	/* Who dies is replaced. */
	assert_int_equal(dies(5, true, true), 0);
	assert_int_equal(born(CHILD_WORKER), 5);
}

static void those_who_wait_are_told_of_often_and_make_a_worker_each_once(void **state)
{
	int n;

	(void)state;
	range();
	wait_for_more(2);
	for (n = 0; n < 10; n++)
		master_waiting(&world.master, 2); /* before there is a place to start them in */
	born(CHILD_WORKER);
	born(CHILD_WORKER);
	for (n = 0; n < 10; n++) {
		master_waiting(&world.master, 2); /* they are starting */
		assert_int_equal(quiet(), IDLE);
	}
	up(4);
	up(5);
	master_waiting(&world.master, 2); /* and up, and have not taken them yet */
	assert_int_equal(quiet(), IDLE);
	busy(4);
	master_waiting(&world.master, 1);
	assert_int_equal(quiet(), IDLE);
	up(1); /* an old one will take it */
	busy(5);
	master_waiting(&world.master, 1);
	assert_true(quiet() > 0);
	busy(1);
	master_waiting(&world.master, 1);
	born(CHILD_WORKER);
}

static void an_idle_one_that_a_signal_has_stopped_takes_nobody(void **state)
{
	(void)state;
	range();
	master_stopped(&world.master, 1, true);
	master_waiting(&world.master, 2);
	assert_int_equal(quiet(), -1); /* two others are idle */
	master_stopped(&world.master, 0, true);
	master_stopped(&world.master, 2, true);
	master_waiting(&world.master, 2);
	born(CHILD_WORKER);
	born(CHILD_WORKER);
	assert_true(quiet() > 0);
}

static void workers_above_the_least_go_when_they_have_been_idle(void **state)
{
	uint32_t i;

	(void)state;
	range();
	wait_for_more(3);
	carry_out();
	all_busy();
	world.now += 10 * IDLE;
	assert_int_equal(quiet(), IDLE); /* none of them is idle */
	up(5);
	world.now += 1000;
	up(4);
	assert_int_equal(quiet(), IDLE - 1000);
	world.now += IDLE - 1000;
	assert_int_equal(must(MASTER_RETIRE).place, 5);
	assert_true(quiet() == 1000);
	world.now += 1000;
	assert_int_equal(must(MASTER_RETIRE).place, 4);
	assert_int_equal(dies(5, true, true), -1);
	assert_int_equal(dies(4, true, true), -1);
	assert_true(quiet() > 0); /* they are not replaced */
	for (i = 0; i < 8; i++)
		if (world.all[i].lives)
			up(i);
	world.now += 2 * IDLE;
	must(MASTER_RETIRE);
	assert_true(quiet() > 0);
	assert_int_equal(master_count(&world.master, CHILD_WORKER).fresh, WORKERS);
	world.now += LONGEST / 2;
	assert_true(quiet() > 0); /* the least stay, however long they are idle */
}

/* No process can be made: the pool must not give back those it has for those it has not. */
static void who_could_not_be_made_is_not_wanted_for_ever(void **state)
{
	struct master_decision decision;

	(void)state;
	range();
	wait_for_more(2);
	born(CHILD_WORKER);
	while ((decision = decide()).act == MASTER_START)
		master_unborn(&world.master, CHILD_WORKER, world.now);
	all_up();
	world.now += IDLE;
	assert_int_equal(must(MASTER_START).kind, CHILD_WORKER);
	master_unborn(&world.master, CHILD_WORKER, world.now);
	dies(must(MASTER_RETIRE).place, true, true); /* the one above the least */
	quiet();
	world.now += 10 * IDLE;
	assert_int_equal(quiet(), -1); /* and nobody is tried for any more */
	assert_int_equal(master_count(&world.master, CHILD_WORKER).fresh, WORKERS);
}

static void a_reload_keeps_as_many_as_there_are_within_the_new_bounds(void **state)
{
	struct master_plan plan = plan_for(WORKERS);

	(void)state;
	range();
	wait_for_more(3);
	carry_out();
	plan.most = 5;
	master_reload(&world.master, &plan);
	carry_out();
	assert_int_equal(master_count(&world.master, CHILD_WORKER).fresh, 5);
	plan = plan_for(7);
	master_reload(&world.master, &plan);
	carry_out();
	assert_int_equal(master_count(&world.master, CHILD_WORKER).fresh, 7);
	assert_false(master_grows(&world.master));
}

#define SILENT 90000
#define STOPPED 30000

static uint32_t steps;

/* A look of the master, as pool.c has it: each worker does that, and has made so many steps. */
static void see(enum stage_at at)
{
	uint32_t i;

	master_look(&world.master, world.now);
	for (i = 0; i < world.master.places; i++)
		if (world.all[i].lives && world.all[i].kind == CHILD_WORKER)
			master_saw(&world.master, i, at, world.now, steps);
}

/* A pool that is watched, all its workers streaming. */
static void watched(void)
{
	struct master_plan plan = plan_for(WORKERS);

	plan.times.silent[STAGE_STREAM] = SILENT;
	plan.times.stopped = STOPPED;
	memset(&world, 0, sizeof(world));
	world.now = START;
	master_init(&world.master, world.all, master_places(WORKERS), &plan);
	steps = 1;
	see(STAGE_STREAM);
	carry_out();
	see(STAGE_STREAM);
	carry_out();
}

/* Time passes, and the master looks as often as it wants to. */
static struct master_decision pass(int64_t ms, enum stage_at at)
{
	struct master_decision decision = decide();
	int64_t end = world.now + ms;

	while (decision.act == MASTER_WAIT && world.now < end) {
		assert_in_range(decision.at - world.now, 1, 5000);
		world.now = decision.at < end ? decision.at : end;
		see(at);
		decision = decide();
	}
	return decision;
}

static void one_that_makes_no_step_is_told_then_killed_and_replaced_after_a_pause(void **state)
{
	struct master_decision decision;

	(void)state;
	watched();
	assert_int_equal(pass(SILENT - 1, STAGE_STREAM).act, MASTER_WAIT);
	decision = pass(1, STAGE_STREAM);
	assert_int_equal(decision.act, MASTER_STUCK);
	assert_int_equal(decision.place, 0);
	assert_int_equal(decision.at, SILENT);
	assert_int_equal(backoff_left(&world.master.backoffs[CHILD_WORKER], world.now), 100);
	must(MASTER_STUCK); /* all of them are */
	must(MASTER_STUCK);
	assert_int_equal(quiet(), 100);
	world.now += 100;
	for (int i = 0; i < WORKERS; i++)
		born(CHILD_WORKER);
	assert_int_equal(pass(4899, STAGE_STREAM).act, MASTER_WAIT);
	decision = pass(1, STAGE_STREAM);
	assert_int_equal(decision.act, MASTER_KILL);
	assert_int_equal(decision.place, 0);
	must(MASTER_KILL);
	must(MASTER_KILL);
	assert_int_equal(dies(0, false, true), -1);
}

static void one_that_makes_steps_is_left_alone_however_long(void **state)
{
	int n;

	(void)state;
	watched();
	for (n = 0; n < 1000; n++) {
		assert_int_equal(pass(SILENT - 1, STAGE_STREAM).act, MASTER_WAIT);
		steps++;
		see(STAGE_STREAM);
	}
	/* Nor does one that waits for a request make any. */
	assert_int_equal(pass(100 * SILENT, STAGE_IDLE).act, MASTER_WAIT);
	assert_int_equal(pass(100 * SILENT, (enum stage_at)77).act, MASTER_WAIT);
}

static void silence_counts_only_while_the_master_runs(void **state)
{
	int n;

	(void)state;
	watched();
	for (n = 0; n < 10; n++) {
		assert_int_equal(pass(SILENT / 40, STAGE_STREAM).act, MASTER_WAIT);
		world.now += 3600000; /* a night's sleep */
		see(STAGE_STREAM);
		assert_int_equal(decide().act, MASTER_WAIT);
	}
	assert_int_equal(pass(SILENT, STAGE_STREAM).act, MASTER_STUCK);
	must(MASTER_STUCK);
	must(MASTER_STUCK);
	quiet();
	world.now += 3600000; /* it has its time to end all the same */
	see(STAGE_STREAM);
	assert_true(world.all[0].kill_at > world.now);
}

static void one_that_was_only_slow_drains(void **state)
{
	(void)state;
	watched();
	assert_int_equal(pass(SILENT, STAGE_STREAM).act, MASTER_STUCK);
	assert_int_equal(world.all[0].kill_at, world.now + 5000);
	world.now += 1000;
	steps++;
	see(STAGE_STREAM);
	assert_int_equal(world.all[0].kill_at, world.now + DRAIN + GRACE);
	assert_false(world.all[0].stuck);
}

static void one_that_a_signal_has_stopped_is_stuck_even_if_idle(void **state)
{
	(void)state;
	watched();
	assert_int_equal(pass(STOPPED, STAGE_IDLE).act, MASTER_WAIT);
	master_stopped(&world.master, 1, true);
	assert_int_equal(pass(STOPPED - 1, STAGE_IDLE).act, MASTER_WAIT);
	master_stopped(&world.master, 1, false); /* it went on */
	assert_int_equal(pass(2 * STOPPED, STAGE_IDLE).act, MASTER_WAIT);
	master_stopped(&world.master, 1, true);
	assert_int_equal(pass(STOPPED, STAGE_IDLE).act, MASTER_STUCK);
	assert_int_equal(world.all[1].told, TOLD_END);
	assert_int_equal(world.all[0].told, TOLD_NOTHING);
}

static void one_that_retires_can_be_stuck_too(void **state)
{
	struct master_plan plan;

	(void)state;
	watched();
	plan = world.master.plan;
	plan.times.silent[STAGE_STREAM] = SILENT / 2; /* of those that are born from now on */
	master_reload(&world.master, &plan);
	for (int n = 0; n < 3 * WORKERS; n++) {
		carry_out();
		steps++;
		see(STAGE_STREAM);
	}
	assert_int_equal(world.all[0].told, TOLD_RETIRE);
	assert_int_equal(pass(SILENT / 2, STAGE_STREAM).act, MASTER_STUCK);
	assert_int_equal(world.all[0].told, TOLD_RETIRE);
	must(MASTER_STUCK);
	must(MASTER_STUCK);
	(void)pass(SILENT / 2, STAGE_IDLE);
	assert_int_equal(world.all[0].told, TOLD_RETIRE);
}

static void nobody_is_stuck_where_that_is_turned_off(void **state)
{
	(void)state;
	started();
	master_stopped(&world.master, 1, true);
	see(STAGE_STREAM);
	assert_int_equal(quiet(), -1);
	world.now += 100 * SILENT;
	see(STAGE_STREAM);
	assert_int_equal(quiet(), -1);
}

/* Whatever happens in whatever order: what must always be true. */
static void whatever_happens(void **state)
{
	uint64_t random = 1;
	struct master_decision decision;
	struct master_plan plan;
	uint32_t place, served = 0;
	int step, round;

	(void)state;
	for (step = 0; step < 100000; step++) {
		place = unit_random(&random) % world.master.places;
		switch (unit_random(&random) % 64) {
		case 0:
			plan = plan_for(1 + unit_random(&random) % 4);
			plan.most += unit_random(&random) % 4;
			plan.times.silent[STAGE_STREAM] = SILENT;
			plan.times.stopped = unit_random(&random) % 2 ? STOPPED : 0;
			master_reload(&world.master, &plan);
			break;
		case 4:
			master_stopped(&world.master, place, unit_random(&random) % 2);
			break;
		case 5:
			if (world.all[place].lives)
				busy(place);
			break;
		case 3:
			master_waiting(&world.master, unit_random(&random) % 4);
			break;
		case 1:
		case 2:
			world.now += unit_random(&random) % 60000;
			break;
		default:
			if (world.all[place].lives && unit_random(&random) % 3)
				up(place);
			else if (world.all[place].lives)
				dies(place, unit_random(&random) % 2, unit_random(&random) % 2);
			world.now += unit_random(&random) % 100;
		}
		master_look(&world.master, world.now);
		for (round = 0; (decision = decide()).act != MASTER_WAIT; round++) {
			assert_true(round < 4 * PLACES);
			assert_int_not_equal(decision.act, MASTER_OVER);
			if (decision.act == MASTER_START && unit_random(&random) % 8) {
				assert_false(world.all[decision.place].lives);
				master_born(&world.master, decision.kind, decision.place,
					    world.now);
			} else if (decision.act == MASTER_START) {
				master_unborn(&world.master, decision.kind, world.now);
			} else if (decision.act != MASTER_READY) {
				assert_true(world.all[decision.place].lives);
			}
		}
		assert_true(decision.at > world.now);
		assert_true(master_count(&world.master, CHILD_WORKER).fresh <= 8);
		served += master_count(&world.master, CHILD_WORKER).fresh > 0;
	}
	assert_true(served > 90000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_are_started_and_ready_is_said_once, set_up),
		cmocka_unit_test_setup(
			what_cannot_be_forked_is_tried_again_after_a_pause_that_grows, set_up),
		cmocka_unit_test_setup(a_pause_is_waited_for, set_up),
		cmocka_unit_test_setup(who_comes_up_and_dies_young_is_soon_replaced, set_up),
		cmocka_unit_test_setup(
			who_dies_young_makes_the_backoff_grow_and_who_was_old_does_not, set_up),
		cmocka_unit_test_setup(many_that_die_at_once_wait_together, set_up),
		cmocka_unit_test_setup(one_that_was_recycled_is_replaced_at_once, set_up),
		cmocka_unit_test_setup(a_reload_exchanges_one_by_one, set_up),
		cmocka_unit_test_setup(an_idle_one_that_has_not_heard_yet_might_still_serve,
				       set_up),
		cmocka_unit_test_setup(settings_that_no_worker_can_start_with_cost_none_of_the_old,
				       set_up),
		cmocka_unit_test_setup(fewer_and_more_are_wanted_after_a_reload, set_up),
		cmocka_unit_test_setup(the_admission_process_finds_a_place_where_workers_find_none,
				       set_up),
		cmocka_unit_test_setup(who_is_told_has_its_time_and_is_killed_once, set_up),
		cmocka_unit_test_setup(a_drain_tells_all_and_replaces_nobody, set_up),
		cmocka_unit_test_setup(those_that_retire_are_hurried_by_a_drain, set_up),
		cmocka_unit_test_setup(on_a_kept_socket_they_wait_for_who_follows, set_up),
		cmocka_unit_test_setup(who_leaves_retires_all_and_replaces_nobody, set_up),
		cmocka_unit_test_setup(who_leaves_is_over_with_the_last, set_up),
		cmocka_unit_test_setup(told_twice_ends_what_runs_now, set_up),
		cmocka_unit_test_setup(told_twice_kills_all_at_once, set_up),
		cmocka_unit_test_setup(a_connection_that_waits_makes_a_worker_more_at_once, set_up),
		cmocka_unit_test_setup(those_who_wait_are_told_of_often_and_make_a_worker_each_once,
				       set_up),
		cmocka_unit_test_setup(an_idle_one_that_a_signal_has_stopped_takes_nobody, set_up),
		cmocka_unit_test_setup(workers_above_the_least_go_when_they_have_been_idle, set_up),
		cmocka_unit_test_setup(who_could_not_be_made_is_not_wanted_for_ever, set_up),
		cmocka_unit_test_setup(a_reload_keeps_as_many_as_there_are_within_the_new_bounds,
				       set_up),
		cmocka_unit_test_setup(
			one_that_makes_no_step_is_told_then_killed_and_replaced_after_a_pause,
			set_up),
		cmocka_unit_test_setup(one_that_makes_steps_is_left_alone_however_long, set_up),
		cmocka_unit_test_setup(silence_counts_only_while_the_master_runs, set_up),
		cmocka_unit_test_setup(one_that_was_only_slow_drains, set_up),
		cmocka_unit_test_setup(one_that_a_signal_has_stopped_is_stuck_even_if_idle, set_up),
		cmocka_unit_test_setup(one_that_retires_can_be_stuck_too, set_up),
		cmocka_unit_test_setup(nobody_is_stuck_where_that_is_turned_off, set_up),
		cmocka_unit_test_setup(whatever_happens, set_up),
	};

	return cmocka_run_group_tests_name("master", tests, NULL, NULL);
}
