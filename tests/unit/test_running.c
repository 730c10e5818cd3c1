/* base/running: what one process writes of its exchange, as others read it and want it to end. */
#include "unit.h"

#include "base/running.h"

#define ID "01m7y2k3e92365hdc9rnkwb6t8"

static void an_exchange_is_there_until_it_is_over(void **state)
{
	struct running running = { 0 };
	struct running_exchange one;

	(void)state;
	assert_false(running_read(&running, &one));
	running_begin(&running, INT64_MIN, ID);
	assert_true(running_read(&running, &one));
	assert_int_equal(one.workspace, INT64_MIN);
	assert_string_equal(one.exchange, ID);
	running_over(&running);
	assert_false(running_read(&running, &one));
	running_begin(&running, 5, "short");
	assert_true(running_read(&running, &one));
	assert_string_equal(one.exchange, "short");
	running_begin(NULL, 5, ID);
	running_over(NULL);
	assert_false(running_is_to_end(NULL));
}

static void what_is_to_end_is_that_one_alone(void **state)
{
	struct running running = { 0 };
	struct running_exchange first, second;

	(void)state;
	assert_false(running_is_to_end(&running));
	running_begin(&running, 5, ID);
	assert_false(running_is_to_end(&running));
	assert_true(running_read(&running, &first));
	running_end(&running, first.number);
	assert_true(running_is_to_end(&running));
	running_over(&running);
	assert_false(running_is_to_end(&running));
	running_end(&running, first.number); /* too late */
	assert_false(running_is_to_end(&running));
	running_begin(&running, 5, ID);
	assert_false(running_is_to_end(&running));
	assert_true(running_read(&running, &second));
	assert_int_not_equal(first.number, second.number);
}

static void numbers_begin_anew_and_none_is_0(void **state)
{
	struct running running = { .last = UINT32_MAX };
	struct running_exchange one;

	(void)state;
	running_begin(&running, 5, ID);
	assert_true(running_read(&running, &one));
	assert_int_equal(one.number, 1);
}

/* Who writes may have gone wild: nothing but an id is taken for one. */
static void nothing_else_is_read(void **state)
{
	struct running running = { 0 };
	struct running_exchange one;

	(void)state;
	running_begin(&running, 5, "ab'},{x");
	assert_true(running_read(&running, &one));
	assert_string_equal(one.exchange, "ab");
	running_begin(&running, 5, "{");
	assert_false(running_read(&running, &one));
	running_begin(&running, 5, ID);
	memset(running.exchange, 'x', sizeof(running.exchange));
	assert_true(running_read(&running, &one));
	assert_int_equal(strlen(one.exchange), SECRET_ID_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exchange_is_there_until_it_is_over),
		cmocka_unit_test(what_is_to_end_is_that_one_alone),
		cmocka_unit_test(numbers_begin_anew_and_none_is_0),
		cmocka_unit_test(nothing_else_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
