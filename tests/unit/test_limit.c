/* The shared limits: windows, caps, and what a killed process leaves behind. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#include "base/clock.h"
#include "chat/limit.h"
#include "chat/limit_file.h"
#include "chat/limit_table.h"

#define HOUR_MS 3600000
#define ALICE STR("192.0.2.1")
#define BOB STR("192.0.2.2")

static struct limit *open_limit(const char *file, uint32_t holders)
{
	struct limit *limit = NULL;

	assert_int_equal(limit_open(file, holders, &limit), STATUS_OK);
	assert_non_null(limit);
	return limit;
}

static bool count(struct limit *limit, struct str who, int64_t most)
{
	int64_t retry_s = 0;

	return limit_count(limit, LIMIT_REQUESTS, who, most, HOUR_MS, &retry_s);
}

static void pass_ms(int64_t until)
{
	struct timespec bit = { .tv_nsec = 200000 };

	while (clock_ms() <= until)
		nanosleep(&bit, NULL);
}

static void wait_for(pid_t pid)
{
	int result;

	assert_int_equal(waitpid(pid, &result, 0), pid);
}

static void window_lets_exactly_most_pass(void **state)
{
	struct limit *limit = open_limit(NULL, 1);
	int64_t retry_s = 0;
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_true(count(limit, ALICE, 5));
	assert_false(limit_count(limit, LIMIT_REQUESTS, ALICE, 5, HOUR_MS, &retry_s));
	assert_in_range(retry_s, 3000, 3600);
	/* Another name, another kind, no limit. */
	assert_true(count(limit, BOB, 5));
	assert_true(limit_count(limit, LIMIT_FAILED_KEY, ALICE, 1, HOUR_MS, &retry_s));
	assert_false(limit_count(limit, LIMIT_FAILED_KEY, ALICE, 1, HOUR_MS, &retry_s));
	assert_true(count(limit, ALICE, 0));
	limit_close(limit);
}

static void window_ends(void **state)
{
	struct limit *limit = open_limit(NULL, 1);
	int64_t retry_s = 0, now;

	(void)state;
	limit_count(limit, LIMIT_REQUESTS, ALICE, 1, 1, &retry_s);
	pass_ms(clock_ms() + 1);
	/* A new window, of an hour: it begins with this request. */
	assert_true(count(limit, ALICE, 1));
	assert_false(count(limit, ALICE, 1));
	/* The setting is made shorter: no window outlives it. */
	now = clock_ms();
	limit_count(limit, LIMIT_REQUESTS, ALICE, 1, 5000, &retry_s);
	assert_true(retry_s >= 1 && retry_s <= 5);
	limit_count(limit, LIMIT_REQUESTS, ALICE, 1, 1, &retry_s);
	pass_ms(now + 2);
	pass_ms(clock_ms() + 1);
	assert_true(limit_count(limit, LIMIT_REQUESTS, ALICE, 1, 1, &retry_s));
	limit_close(limit);
}

static void retry_is_at_least_a_second(void **state)
{
	struct limit *limit = open_limit(NULL, 1);
	int64_t retry_s = 0;
	int i;

	(void)state;
	/* 20 ms: if all of it passed between two counts they are in two windows; try again. */
	for (i = 0; i < 1000 && !retry_s; i++)
		limit_count(limit, LIMIT_REQUESTS, ALICE, 1, 20, &retry_s);
	assert_int_equal(retry_s, 1);
	limit_close(limit);
}

static void long_names_differ(void **state)
{
	struct limit *limit = open_limit(NULL, 1);
	char a[1000], b[1000];

	(void)state;
	memset(a, 'x', sizeof(a));
	memcpy(b, a, sizeof(a));
	b[999] = 'y';
	assert_true(count(limit, (struct str){ a, sizeof(a) }, 1));
	assert_false(count(limit, (struct str){ a, sizeof(a) }, 1));
	assert_true(count(limit, (struct str){ b, sizeof(b) }, 1));
	assert_true(count(limit, STR(""), 1));
	assert_true(count(limit, STR_NONE, 2));
	assert_false(count(limit, STR(""), 2));
	limit_close(limit);
}

/* What each of many processes counted, summed over a pipe. */
static int64_t passed_of_eight(struct limit *limit, int each, int64_t most)
{
	int64_t passed = 0, sum = 0;
	int fds[2], i, k;
	pid_t pids[8];

	assert_int_equal(pipe(fds), 0);
	for (i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			for (k = 0; k < each; k++)
				passed += count(limit, ALICE, most);
			_exit(write(fds[1], &passed, sizeof(passed)) != sizeof(passed));
		}
	}
	for (i = 0; i < 8; i++)
		wait_for(pids[i]);
	close(fds[1]);
	for (i = 0; read(fds[0], &passed, sizeof(passed)) == sizeof(passed); i++)
		sum += passed;
	assert_int_equal(i, 8);
	close(fds[0]);
	return sum;
}

static void exact_under_concurrency(void **state)
{
	struct limit *limit = open_limit(NULL, 1);

	(void)state;
	assert_int_equal(passed_of_eight(limit, 1000, 3210), 3210);
	limit_close(limit);
}

static void caps_and_their_return(void **state)
{
	struct limit *limit = open_limit(NULL, 3);

	(void)state;
	assert_true(limit_hold(limit, 0, LIMIT_OPEN, ALICE, 2));
	assert_true(limit_hold(limit, 1, LIMIT_OPEN, ALICE, 2));
	assert_false(limit_hold(limit, 2, LIMIT_OPEN, ALICE, 2));
	assert_true(limit_hold(limit, 2, LIMIT_OPEN, BOB, 2));
	assert_true(limit_hold(limit, 2, LIMIT_FAILED_KEY, ALICE, 2));
	assert_true(limit_hold(limit, 2, LIMIT_REQUESTS, ALICE, 2));
	assert_true(limit_hold(limit, 2, LIMIT_OPEN, ALICE, 0)); /* no cap: nothing is held */
	limit_release(limit, 0);
	assert_true(limit_hold(limit, 2, LIMIT_OPEN, ALICE, 2));
	assert_false(limit_hold(limit, 2, LIMIT_FAILED_KEY, BOB, 9)); /* a fifth */
	assert_false(limit_hold(limit, 0, LIMIT_OPEN, ALICE, 2));
	limit_release(limit, 2);
	limit_release(limit, 2);
	limit_release(limit, 99);
	assert_true(limit_hold(limit, 0, LIMIT_OPEN, ALICE, 2));
	assert_false(limit_hold(limit, 2, LIMIT_OPEN, ALICE, 2));
	limit_close(limit);
}

static void flood_pushes_out_no_open_exchange(void **state)
{
	struct limit *limit = open_limit(NULL, 64);
	char name[32];
	int i;

	(void)state;
	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "holder %d", i);
		assert_true(limit_hold(limit, (uint32_t)i, LIMIT_OPEN, str_from(name), 1));
	}
	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "flood %d", i);
		count(limit, str_from(name), 1);
	}
	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "holder %d", i);
		assert_false(limit_hold(limit, (uint32_t)i, LIMIT_OPEN, str_from(name), 1));
	}
	limit_close(limit);
}

static void full_set_gives_up_what_ends_first(void **state)
{
	struct limit *limit = open_limit(NULL, 1);
	struct limit_entry *set = limit->memory->entries, *got;
	struct siphash name = { .low = 0, .high = 77 };
	int i;

	(void)state;
	for (i = 0; i < LIMIT_WAYS; i++)
		set[i] = (struct limit_entry){
			.name = { .low = 0, .high = (uint64_t)(100 + i) },
			.ends = clock_ms() + HOUR_MS + i,
			.count = 9,
			.open = i == 0,
		};
	assert_true(limit_table_lock(limit));
	set[5].ends = clock_ms() - 1;
	got = limit_table_get(limit, name);
	assert_ptr_equal(got, &set[5]); /* it is over */
	assert_int_equal(got->count, 0);
	got->ends = clock_ms() + 2 * HOUR_MS;
	name.high++;
	assert_ptr_equal(limit_table_get(limit, name),
			 &set[1]); /* set[0] ends first, but is open */
	for (i = 0; i < LIMIT_WAYS; i++)
		set[i].open = 1;
	name.high++;
	assert_null(limit_table_get(limit, name));
	limit_table_unlock(limit);
	limit_close(limit);
}

/* Dies holding the lock, in the middle of a change. */
static void die_in_the_middle(struct limit *limit, int how)
{
	struct siphash name = limit_table_name(limit, LIMIT_OPEN, ALICE);
	struct limit_entry *entry;

	if (!limit_table_lock(limit))
		_exit(1);
	entry = limit_table_get(limit, name);
	if (how == 1) /* counted, but in no list */
		entry->open++;
	if (how == 2) { /* in the list, not counted */
		limit_table_hold(limit, 0, entry);
		entry->open--;
	}
	if (how == 3) /* half taken back */
		limit->memory->holders[1].n--;
	kill(getpid(), SIGKILL);
}

static void death_with_the_lock_is_mended(void **state)
{
	static const int64_t open_after[] = { 1, 1, 2, 0 };
	struct limit_entry *entry;
	struct limit *limit;
	pid_t pid;
	int how;

	(void)state;
	for (how = 0; how < 4; how++) {
		limit = open_limit(NULL, 2);
		assert_true(limit_hold(limit, 1, LIMIT_OPEN, ALICE, 9));
		pid = fork();
		if (pid == 0)
			die_in_the_middle(limit, how);
		wait_for(pid);
		assert_true(limit_table_lock(limit));
		entry = limit_table_find(limit, limit_table_name(limit, LIMIT_OPEN, ALICE));
		assert_int_equal(entry->open, open_after[how]);
		limit_table_unlock(limit);
		assert_true(count(limit, BOB, 1));
		limit_release(limit, 0);
		limit_release(limit, 1);
		assert_int_equal(entry->open, 0);
		limit_close(limit);
	}
}

static void count_and_hold_forever(struct limit *limit, int ready)
{
	char name[32];
	unsigned i;

	for (i = 0;; i++) {
		snprintf(name, sizeof(name), "%u", i % 50);
		count(limit, str_from(name), 1 << 30);
		limit_hold(limit, 1, LIMIT_OPEN, ALICE, 100);
		limit_hold(limit, 1, LIMIT_OPEN, str_from(name), 100);
		if (!i && write(ready, "", 1) != 1)
			_exit(1);
		limit_release(limit, 1);
	}
}

/* As under a debugger: the others go on without the limits. */
static void one_that_stands_still_stops_nobody(void **state)
{
	struct limit *limit = open_limit(NULL, 2);
	int fds[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (limit_table_lock(limit) && write(fds[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_true(count(limit, ALICE, 1));
	assert_true(limit_hold(limit, 0, LIMIT_OPEN, ALICE, 1));
	limit_release(limit, 0);
	kill(pid, SIGKILL);
	wait_for(pid);
	assert_true(count(limit, ALICE, 1));
	assert_false(count(limit, ALICE, 1));
	close(fds[0]);
	close(fds[1]);
	limit_close(limit);
}

static void kill_at_any_moment_harms_nobody(void **state)
{
	struct limit *limit = open_limit(NULL, 2);
	struct timespec bit = { 0 };
	int round, fds[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	for (round = 0; round < 300; round++) {
		pid = fork();
		if (pid == 0)
			count_and_hold_forever(limit, fds[1]);
		assert_int_equal(read(fds[0], &byte, 1), 1);
		bit.tv_nsec = round * 997 % 300000;
		nanosleep(&bit, NULL);
		kill(pid, SIGKILL);
		/* While it dies and after, the others go on. */
		assert_true(count(limit, BOB, 300));
		wait_for(pid);
		limit_release(limit, 1);
		assert_true(limit_hold(limit, 0, LIMIT_OPEN, ALICE, 1));
		limit_release(limit, 0);
	}
	assert_false(count(limit, BOB, 300));
	for (round = 0; round < LIMIT_ENTRIES; round++)
		assert_int_equal(limit->memory->entries[round].open, 0);
	close(fds[0]);
	close(fds[1]);
	limit_close(limit);
}

/* A child that has taken a place and holds ALICE, until it is killed. */
static pid_t child_with_hold(struct limit *limit, uint32_t expected)
{
	uint32_t holder = 99;
	int fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (limit_take_holder(limit, &holder) != STATUS_OK || holder != expected ||
		    !limit_hold(limit, holder, LIMIT_OPEN, ALICE, 5) || write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

static void place_of_a_dead_process_is_taken(void **state)
{
	struct limit *limit = open_limit(NULL, 2);
	uint32_t holder = 99;
	pid_t first, second, other;

	(void)state;
	first = child_with_hold(limit, 0);
	second = child_with_hold(limit, 1);
	assert_int_equal(limit_take_holder(limit, &holder), STATUS_UNAVAILABLE);
	assert_int_equal(holder, 99);
	kill(second, SIGKILL);
	wait_for(second);
	assert_int_equal(limit_take_holder(limit, &holder), STATUS_OK);
	assert_int_equal(holder, 1);
	assert_true(limit_hold(limit, 1, LIMIT_OPEN, ALICE, 2)); /* the dead one's came back */
	limit_release(limit, 1);
	assert_true(limit_hold(limit, 1, LIMIT_OPEN, ALICE, 2));
	kill(first, SIGKILL);
	wait_for(first);
	/* The cap is reached only by the dead one: it is not waited for that somebody takes its place. */
	assert_true(limit_hold(limit, 1, LIMIT_OPEN, ALICE, 2));
	/* Its pid, used again by a process that began at another time: ours, which /proc shows us. */
	other = fork();
	if (other == 0)
		for (;;)
			pause();
	assert_true(other > 0);
	limit->memory->holders[0].pid = other;
	limit->memory->holders[0].birth = 1;
	limit->memory->holders[1].pid = getpid();
	assert_int_equal(limit_take_holder(limit, &holder), STATUS_OK);
	assert_int_equal(holder, 0);
	kill(other, SIGKILL);
	wait_for(other);
	limit_close(limit);
}

static void mark(void *context)
{
	*(bool *)context = true;
}

/* A thousand that end at once must not stand in line for a lock that has nothing of theirs. */
static void who_holds_nothing_takes_no_lock(void **state)
{
	struct limit *limit = open_limit(NULL, 2);
	bool untouched = false;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(!limit_table_lock(limit));
	wait_for(pid);
	limit_release(limit, 0);
	limit_give(limit, 0, LIMIT_OPEN, ALICE);
	limit_release(limit, 7); /* no holder */
	/* Nobody has met the dead owner yet. */
	assert_int_equal(robust_lock_take(&limit->memory->lock, 1000, mark, &untouched), STATUS_OK);
	assert_true(untouched);
	robust_lock_give(&limit->memory->lock);
	limit_close(limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_lets_exactly_most_pass),
		cmocka_unit_test(window_ends),
		cmocka_unit_test(retry_is_at_least_a_second),
		cmocka_unit_test(long_names_differ),
		cmocka_unit_test(exact_under_concurrency),
		cmocka_unit_test(caps_and_their_return),
		cmocka_unit_test(flood_pushes_out_no_open_exchange),
		cmocka_unit_test(full_set_gives_up_what_ends_first),
		cmocka_unit_test(death_with_the_lock_is_mended),
		cmocka_unit_test(one_that_stands_still_stops_nobody),
		cmocka_unit_test(kill_at_any_moment_harms_nobody),
		cmocka_unit_test(place_of_a_dead_process_is_taken),
		cmocka_unit_test(who_holds_nothing_takes_no_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
