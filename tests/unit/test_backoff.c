/* pool/backoff: the pause before the dead are replaced. */
#include "unit.h"

#include "pool/backoff.h"

#define NOW 1000000

static void it_doubles_while_they_die_young_up_to_a_most(void **state)
{
	struct backoff backoff = { 0 };
	int64_t now = NOW, expected = 100;
	int n;

	(void)state;
	assert_int_equal(backoff_left(&backoff, now), 0);
	for (n = 0; n < 20; n++) {
		backoff_after_death(&backoff, false, now, now + 9999);
		now += 9999;
		assert_int_equal(backoff_left(&backoff, now), expected);
		expected = expected * 2 > 30000 ? 30000 : expected * 2;
		now += backoff_left(&backoff, now);
		assert_int_equal(backoff_left(&backoff, now), 0);
	}
	backoff_after_death(&backoff, false, now - 10000, now); /* it was old enough */
	assert_int_equal(backoff_left(&backoff, now), 100);
}

/* A client that fells each worker it meets keeps nobody else waiting for long. */
static void where_they_come_up_it_stays_short(void **state)
{
	static const int64_t pauses[] = { 100, 200, 400, 800, 1000, 1000 };
	struct backoff backoff = { 0 };
	int64_t now = NOW;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(pauses); i++) {
		backoff_after_death(&backoff, true, now, now);
		assert_int_equal(backoff_left(&backoff, now), pauses[i]);
		now += pauses[i];
	}
	for (i = 0; i < 5; i++) { /* and then none comes up any more */
		backoff_after_death(&backoff, false, now, now);
		now += backoff_left(&backoff, now);
	}
	assert_int_equal(backoff.ms, 30000);
	backoff_after_death(&backoff, true, now, now);
	assert_int_equal(backoff_left(&backoff, now), 1000);
}

/* A pool that breathes has young workers whenever it has grown. */
static void what_was_long_ago_makes_no_pause_longer(void **state)
{
	struct backoff backoff = { 0 };
	int64_t now = NOW;
	int n;

	(void)state;
	for (n = 0; n < 9; n++) {
		backoff_grow(&backoff, now);
		now += backoff_left(&backoff, now);
	}
	assert_int_equal(backoff.ms, 25600);
	now += 9999;
	backoff_after_death(&backoff, false, now - 1000, now);
	assert_int_equal(backoff_left(&backoff, now), 30000);
	now += 40000;
	backoff_after_death(&backoff, false, now - 1000, now);
	assert_int_equal(backoff_left(&backoff, now), 100);
}

static void a_second_one_waits_with_the_first(void **state)
{
	struct backoff backoff = { 0 };

	(void)state;
	backoff_after_death(&backoff, false, NOW, NOW);
	backoff_after_death(&backoff, false, NOW, NOW + 99);
	assert_int_equal(backoff_left(&backoff, NOW + 99), 1);
	backoff_grow(&backoff, NOW + 99); /* but what cannot be forked is no death */
	assert_int_equal(backoff_left(&backoff, NOW + 99), 200);
}

static void one_that_ended_at_once_is_not_followed_at_once(void **state)
{
	struct backoff backoff = { 0 };

	(void)state;
	backoff_after_end(&backoff, NOW, NOW + 100);
	assert_int_equal(backoff_left(&backoff, NOW + 100), 0);
	backoff_after_end(&backoff, NOW, NOW + 99);
	assert_int_equal(backoff_left(&backoff, NOW + 99), 100);
	backoff_after_death(&backoff, false, NOW, NOW + 5000); /* it made no pause grow */
	assert_int_equal(backoff_left(&backoff, NOW + 5000), 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_doubles_while_they_die_young_up_to_a_most),
		cmocka_unit_test(where_they_come_up_it_stays_short),
		cmocka_unit_test(what_was_long_ago_makes_no_pause_longer),
		cmocka_unit_test(a_second_one_waits_with_the_first),
		cmocka_unit_test(one_that_ended_at_once_is_not_followed_at_once),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
