/* base/bell: rung in one process, heard in another. */
#include "unit.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bell.h"

static bool rings(int bell)
{
	struct pollfd one = { .fd = bell, .events = POLLIN };

	return poll(&one, 1, 0) == 1;
}

static void it_is_heard_how_often_it_was_rung(void **state)
{
	int bell, result;
	pid_t pid;

	(void)state;
	assert_int_equal(bell_new(&bell), STATUS_OK);
	assert_false(rings(bell));
	assert_int_equal(bell_heard(bell), 0);
	bell_ring(bell, 1);
	bell_ring(bell, 41);
	assert_true(rings(bell));
	assert_int_equal(bell_heard(bell), 42);
	assert_false(rings(bell));
	pid = fork();
	if (!pid) {
		bell_ring(bell, 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &result, 0), pid);
	assert_int_equal(bell_heard(bell), 3);
	bell_free(bell);
	bell_free(-1);
}

static void one_that_nobody_hears_holds_nobody_up(void **state)
{
	int bell, i;

	(void)state;
	assert_int_equal(bell_new(&bell), STATUS_OK);
	for (i = 0; i < 3; i++)
		bell_ring(bell, UINT64_MAX - 1);
	assert_true(rings(bell));
	bell_free(bell);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_heard_how_often_it_was_rung),
		cmocka_unit_test(one_that_nobody_hears_holds_nobody_up),
	};

	return cmocka_run_group_tests_name("bell", tests, NULL, NULL);
}
