/* pool/scoreboard: that a worker has a request is never lost between it and the stopper. */
#include "unit.h"

#include "pool/scoreboard.h"

static void the_stopper_sleeps_only_while_nobody_is_busy(void **state)
{
	struct scoreboard *scoreboard;

	(void)state;
	assert_int_equal(scoreboard_new(2, &scoreboard), STATUS_OK);
	assert_false(scoreboard_watch(scoreboard)); /* it is awake */
	assert_true(scoreboard_unwatch(scoreboard));
	scoreboard_set_busy(scoreboard, &scoreboard->slots[0], true);
	assert_true(scoreboard_watch(scoreboard));
	assert_false(scoreboard_watch(scoreboard)); /* one of them wakes it */
	assert_false(scoreboard_unwatch(scoreboard));
	scoreboard_set_busy(scoreboard, &scoreboard->slots[1], true);
	assert_false(scoreboard_watch(scoreboard));
	scoreboard_set_busy(scoreboard, &scoreboard->slots[0], false);
	assert_false(scoreboard_unwatch(scoreboard));
	scoreboard_set_busy(scoreboard, &scoreboard->slots[1], false);
	assert_true(scoreboard_unwatch(scoreboard));
	scoreboard_free(scoreboard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stopper_sleeps_only_while_nobody_is_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
