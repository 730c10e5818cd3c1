/* edge/db_throttle: who may connect, how long the others sleep, and who is in nobody's way. */
#include "unit.h"

#include "stub_time.h"

#include <sys/wait.h>
#include <unistd.h>

#include "edge/db_throttle.h"

#define PLACES 1000
#define HELD_MS 200

static struct db_throttle *throttle;

static int set_up(void **state)
{
	const char *why = "";

	(void)state;
	stub_time.now = STUB_TIME_START;
	return db_throttle_open(NULL, PLACES, &throttle, &why) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	db_throttle_close(throttle);
	return 0;
}

static int64_t take(uint32_t place)
{
	return db_throttle_take(throttle, place, HELD_MS);
}

static void made(uint32_t place)
{
	db_throttle_end(throttle, place, DB_THROTTLE_MADE);
}

static void take_all(void)
{
	uint32_t i;

	for (i = 0; i < DB_THROTTLE_FEW; i++)
		assert_int_equal(take(i), 0);
}

static void a_few_at_a_time(void **state)
{
	(void)state;
	take_all();
	assert_true(take(100) > 0);
	made(0);
	assert_int_equal(take(100), 0);
}

static void who_came_first_goes_first(void **state)
{
	(void)state;
	take_all();
	assert_true(take(300) > 0);
	stub_time.now++;
	assert_true(take(200) > 0);
	db_throttle_end(throttle, 3, DB_THROTTLE_FAILED);
	assert_true(take(200) > 0);
	assert_int_equal(take(300), 0);
	db_throttle_end(throttle, 4, DB_THROTTLE_FAILED);
	assert_int_equal(take(200), 0);
}

static void who_is_far_behind_sleeps_longer(void **state)
{
	int64_t ms, last = 0;
	uint32_t i;

	(void)state;
	throttle->memory->usual_ms = 5;
	take_all();
	for (i = 100; i < 900; i++) {
		stub_time.now += i % 4 == 0;
		ms = take(i);
		assert_true(ms >= last && ms >= 1 && ms <= 100);
		last = ms;
	}
	assert_true(last > 50);
}

/* Killed, stopped, or waiting for a host that says nothing. */
static void who_holds_a_place_for_long_keeps_nobody_up(void **state)
{
	(void)state;
	take_all();
	assert_true(take(100) > 0);
	stub_time.now += HELD_MS;
	assert_int_equal(take(100), 0);
}

/* As one does whose partition says nothing; nor is it learnt from that how long connecting takes. */
static void who_waits_for_a_first_statement_keeps_nobody_up(void **state)
{
	uint32_t i;

	(void)state;
	take_all();
	stub_time.now += 3;
	for (i = 0; i < DB_THROTTLE_FEW; i++)
		db_throttle_reached(throttle, i);
	stub_time.now += 8 * 3 - 1;
	assert_true(take(100) > 0);
	stub_time.now++;
	assert_int_equal(take(100), 0);
	stub_time.now += 100000;
	for (i = 0; i < DB_THROTTLE_FEW; i++)
		made(i);
	assert_true(throttle->memory->usual_ms < 3 + 8 * 3);
}

static void who_waits_no_more_keeps_nobody_up(void **state)
{
	int64_t ms;

	(void)state;
	take_all();
	ms = take(100);
	stub_time.now++;
	assert_true(take(200) > 0);
	stub_time.now += ms + 500;
	take_all();
	made(0);
	assert_int_equal(take(200), 0);
}

/* A call that is tried again within the same exchange. */
static void who_asks_again_soon_keeps_its_turn(void **state)
{
	(void)state;
	take_all();
	take(100);
	stub_time.now += 5;
	take(200);
	stub_time.now += 150;
	db_throttle_end(throttle, 0, DB_THROTTLE_FAILED);
	assert_true(take(200) > 0);
	assert_int_equal(take(100), 0);
}

static void they_grow_while_it_stays_quick_and_go_back_when_it_does_not(void **state)
{
	uint32_t round, i;

	(void)state;
	for (round = 0; round < 100; round++) {
		assert_int_equal(take(round), 0);
		stub_time.now += 50;
		made(round);
	}
	assert_int_equal(throttle->memory->few, DB_THROTTLE_MANY);
	for (i = 0; i < DB_THROTTLE_MANY; i++)
		assert_int_equal(take(i), 0);
	assert_true(take(999) > 0);
	stub_time.now += 50 * 5;
	for (i = 0; i < 4; i++)
		made(i);
	assert_int_equal(throttle->memory->few, DB_THROTTLE_FEW);
}

/* By less than one would see in whole milliseconds. */
static void a_database_that_moved_farther_away_is_as_quick_as_it_can_be(void **state)
{
	uint32_t round;

	(void)state;
	for (round = 0; round < 200; round++) {
		assert_int_equal(take(round), 0);
		stub_time.now += round ? 20 : 1;
		made(round);
	}
	assert_int_equal(throttle->memory->few, DB_THROTTLE_MANY);
}

static void a_full_server_is_asked_by_one_at_a_time(void **state)
{
	(void)state;
	take_all();
	assert_false(db_throttle_full(throttle));
	db_throttle_end(throttle, 0, DB_THROTTLE_FULL);
	assert_true(db_throttle_full(throttle));
	stub_time.now += HELD_MS - 1;
	assert_true(take(100) > 0);
	stub_time.now += 1; /* the others' places are free */
	assert_int_equal(take(100), 0);
	assert_true(take(200) > 0);
	made(100);
	assert_int_equal(take(200), 0);
	assert_int_equal(take(300), 0);
	stub_time.now += 1000;
	assert_false(db_throttle_full(throttle));
}

static void after_a_full_server_there_is_a_rest(void **state)
{
	(void)state;
	assert_int_equal(take(0), 0);
	db_throttle_end(throttle, 0, DB_THROTTLE_FULL);
	assert_int_equal(take(1), 50);
	stub_time.now += 50;
	assert_int_equal(take(1), 0);
}

/* Nobody's connection stands in its way: none is to be given up for it. */
static void who_lets_nobody_in_is_asked_by_one_at_a_time(void **state)
{
	(void)state;
	assert_int_equal(take(0), 0);
	db_throttle_end(throttle, 0, DB_THROTTLE_AWAY);
	assert_false(db_throttle_full(throttle));
	assert_int_equal(take(1), 50);
	stub_time.now += 50;
	assert_int_equal(take(1), 0);
	assert_true(take(2) > 0);
	made(1);
	assert_int_equal(take(2), 0);
	assert_int_equal(take(3), 0);
}

/* Also one that was not taken: nothing happens. */
static void a_place_is_given_back_once(void **state)
{
	(void)state;
	made(7);
	assert_int_equal(throttle->memory->few, DB_THROTTLE_FEW);
	take_all();
	made(0);
	made(0);
	assert_int_equal(throttle->memory->few, DB_THROTTLE_FEW + 1);
}

static void who_dies_under_the_lock_harms_nobody(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (robust_lock_take(&throttle->memory->lock, 1000, NULL, NULL) == STATUS_OK)
			throttle->memory->all[5].held_at = stub_time.now;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(take(1), 0);
	db_throttle_end(throttle, 5, DB_THROTTLE_FAILED); /* as the master does */
	assert_int_equal(throttle->memory->all[5].held_at, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_few_at_a_time),
		TEST(who_came_first_goes_first),
		TEST(who_is_far_behind_sleeps_longer),
		TEST(who_holds_a_place_for_long_keeps_nobody_up),
		TEST(who_waits_for_a_first_statement_keeps_nobody_up),
		TEST(who_waits_no_more_keeps_nobody_up),
		TEST(who_asks_again_soon_keeps_its_turn),
		TEST(they_grow_while_it_stays_quick_and_go_back_when_it_does_not),
		TEST(a_database_that_moved_farther_away_is_as_quick_as_it_can_be),
		TEST(a_full_server_is_asked_by_one_at_a_time),
		TEST(after_a_full_server_there_is_a_rest),
		TEST(who_lets_nobody_in_is_asked_by_one_at_a_time),
		TEST(a_place_is_given_back_once),
		TEST(who_dies_under_the_lock_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
