/* base/robust_lock: who dies with it is mended after, who stands still is not waited for. */
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/robust_lock.h"
#include "base/shared_memory.h"

struct shared {
	struct robust_lock lock;
	int value, mended;
};

static void mend(void *context)
{
	struct shared *shared = context;

	shared->mended++;
	shared->value = 0;
}

static struct shared *make(void)
{
	struct shared *shared = shared_memory_new(sizeof(*shared));

	assert_non_null(shared);
	assert_int_equal(robust_lock_init(&shared->lock), STATUS_OK);
	return shared;
}

static void a_death_is_mended_once(void **state)
{
	struct shared *shared = make();
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (robust_lock_take(&shared->lock, 60000, mend, shared) == STATUS_OK)
			shared->value = 7;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(shared->value, 7);
	assert_int_equal(robust_lock_take(&shared->lock, 60000, mend, shared), STATUS_OK);
	assert_int_equal(shared->mended, 1);
	assert_int_equal(shared->value, 0);
	robust_lock_give(&shared->lock);
	assert_int_equal(robust_lock_take(&shared->lock, 60000, mend, shared), STATUS_OK);
	assert_int_equal(shared->mended, 1);
	robust_lock_give(&shared->lock);
	shared_memory_free(shared, sizeof(*shared));
}

static void who_stands_still_is_not_waited_for(void **state)
{
	struct shared *shared = make();
	int ready[2], done[2];
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(ready) | pipe(done), 0);
	pid = fork();
	if (pid == 0) {
		close(done[1]);
		if (robust_lock_take(&shared->lock, 60000, mend, shared) ||
		    write(ready[1], "x", 1) != 1 || read(done[0], &c, 1) != 0)
			_exit(1);
		robust_lock_give(&shared->lock);
		_exit(0);
	}
	close(done[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(robust_lock_take(&shared->lock, 0, mend, shared), STATUS_TIMEOUT);
	assert_int_equal(robust_lock_take(&shared->lock, 30, mend, shared), STATUS_TIMEOUT);
	assert_int_equal(shared->mended, 0);
	close(done[1]);
	assert_int_equal(robust_lock_take(&shared->lock, 60000, mend, shared), STATUS_OK);
	robust_lock_give(&shared->lock);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
	shared_memory_free(shared, sizeof(*shared));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_death_is_mended_once),
		cmocka_unit_test(who_stands_still_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
