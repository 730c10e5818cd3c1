/* base/clock: the monotonic clock never goes back, the stamp has its form. */
#include "unit.h"

#include <time.h>

#include "base/clock.h"

static void never_goes_back(void **state)
{
	int64_t before = clock_ms(), now;
	int i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		now = clock_ms();
		assert_true(now >= before);
		before = now;
	}
}

static void wall_is_utc_in_ms(void **state)
{
	int64_t before = (int64_t)time(NULL), wall = clock_wall_ms() / 1000;

	(void)state;
	/* time() reads a coarser clock, which may lag by a tick. */
	assert_in_range(wall, before, (int64_t)time(NULL) + 1);
}

static void stamp_is_rfc_3339(void **state)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	char stamp[CLOCK_STAMP_SIZE], first[CLOCK_STAMP_SIZE];
	size_t i;

	(void)state;
	clock_stamp(first);
	clock_stamp(stamp);
	assert_int_equal(strlen(stamp), strlen(form));
	for (i = 0; form[i]; i++) {
		if (form[i] == 'd')
			assert_in_range(stamp[i], '0', '9');
		else
			assert_int_equal(stamp[i], form[i]);
	}
	assert_true(strcmp(stamp, first) >= 0);
}

static void earlier_of_two(void **state)
{
	(void)state;
	assert_int_equal(clock_earlier(1, 2), 1);
	assert_int_equal(clock_earlier(2, 1), 1);
	assert_int_equal(clock_earlier(CLOCK_NEVER, 5), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_goes_back),
		cmocka_unit_test(wall_is_utc_in_ms),
		cmocka_unit_test(stamp_is_rfc_3339),
		cmocka_unit_test(earlier_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
