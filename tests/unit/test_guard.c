/* base/guard: what blocks is bounded, goes on behind signals, and ends with a stop. */
#include "unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"

/* A guard against hanging only. */
#define LONG 60000

static struct {
	struct wait wait;
	volatile sig_atomic_t stop, next; /* SIGVTALRM makes the one of the other */
	int told;
	int pair[2]; /* ours is the first */
} world;

static void on_signal(int number)
{
	(void)number;
	world.stop = world.next;
	guard_signalled();
}

static void told(void *context)
{
	++*(int *)context;
}

static int set_up(void **state)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t block;

	(void)state;
	memset(&world, 0, sizeof(world));
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	sigfillset(&action.sa_mask);
	sigaction(SIGVTALRM, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	wait_init(&world.wait);
	world.wait.stop = &world.stop;
	world.wait.drain_ms = LONG;
	world.wait.stopping = told;
	world.wait.stopping_context = &world.told;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, world.pair);
}

static int tear_down(void **state)
{
	(void)state;
	guard_close();
	close(world.pair[0]);
	close(world.pair[1]);
	return 0;
}

static ssize_t read_one(void)
{
	char byte;

	return read(world.pair[0], &byte, 1);
}

/* Until it cannot; the other side takes nothing. */
static void write_all(void)
{
	static const char bytes[8192];

	while (write(world.pair[0], bytes, sizeof(bytes)) > 0)
		;
}

static int64_t timer_left(void)
{
	struct itimerval timer;

	assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
	return (int64_t)timer.it_value.tv_sec * 1000000 + timer.it_value.tv_usec;
}

static void what_blocks_too_long_is_shut(void **state)
{
	(void)state;
	guard_open(&world.wait, world.pair[0]);
	guard_begin(SHUT_RD, LONG);
	assert_int_equal(write(world.pair[1], "x", 1), 1);
	assert_int_equal(read_one(), 1);
	assert_int_equal(guard_end(), STATUS_OK);
	guard_begin(SHUT_RD, 5);
	assert_int_equal(read_one(), 0);
	assert_int_equal(guard_end(), STATUS_TIMEOUT);
	guard_begin(SHUT_RDWR, LONG); /* what is read and what is written are two things */
	assert_int_equal(write(world.pair[0], "x", 1), 1);
	assert_int_equal(guard_end(), STATUS_OK);
	guard_begin(SHUT_RDWR, 5);
	write_all();
	assert_int_equal(guard_end(), STATUS_TIMEOUT);
	assert_int_equal(world.told, 0);
}

static void it_ends_with_the_drain(void **state)
{
	(void)state;
	world.wait.drain_ms = 5;
	world.next = WAIT_DRAIN;
	guard_open(&world.wait, world.pair[0]);
	guard_begin(SHUT_RDWR, LONG);
	raise(SIGVTALRM);
	assert_int_equal(world.told, 1);
	write_all();
	assert_int_equal(guard_end(), STATUS_STOPPED);
	assert_int_equal(world.told, 1);
}

static void one_that_retires_has_all_its_time(void **state)
{
	(void)state;
	world.wait.drain_ms = 5;
	world.next = WAIT_RETIRE;
	guard_open(&world.wait, world.pair[0]);
	guard_begin(SHUT_RD, 50);
	raise(SIGVTALRM);
	assert_int_equal(world.told, 1);
	assert_int_equal(read_one(), 0);
	assert_int_equal(guard_end(), STATUS_TIMEOUT);
}

static void now_is_now_whatever_the_drain_would_have_had(void **state)
{
	(void)state;
	guard_open(&world.wait, world.pair[0]);
	world.next = WAIT_DRAIN;
	raise(SIGVTALRM);
	world.next = WAIT_NOW;
	guard_begin(SHUT_RD, LONG);
	raise(SIGVTALRM);
	assert_int_equal(read_one(), 0);
	assert_int_equal(guard_end(), STATUS_STOPPED);
	assert_int_equal(world.told, 1);
}

/* Else the words that say that it has ended would be lost. */
static void what_does_not_block_is_done_after_the_end_too(void **state)
{
	int n;

	(void)state;
	world.stop = world.next = WAIT_NOW;
	guard_open(&world.wait, world.pair[0]);
	assert_int_equal(world.told, 1); /* it came before */
	for (n = 0; n < 100; n++) {
		guard_begin(SHUT_RDWR, LONG);
		raise(SIGVTALRM); /* at a bad time */
		assert_int_equal(write(world.pair[0], "x", 1), 1);
		assert_int_equal(guard_end(), STATUS_OK);
	}
}

static void signals_come_through_between_open_and_close(void **state)
{
	(void)state;
	world.next = WAIT_DRAIN;
	raise(SIGTERM);
	assert_int_equal(world.stop, 0);
	guard_open(&world.wait, world.pair[0]);
	assert_int_equal(world.stop, WAIT_DRAIN);
	assert_int_equal(world.told, 1);
	world.stop = 0;
	guard_close();
	raise(SIGTERM);
	assert_int_equal(world.stop, 0);
	assert_int_equal(timer_left(), 0);
	guard_open(&world.wait, world.pair[0]);
}

/* A token is not to cost one. */
static void the_timer_is_set_once_for_many(void **state)
{
	int64_t left;

	(void)state;
	guard_open(&world.wait, world.pair[0]);
	assert_int_equal(timer_left(), 0);
	guard_begin(SHUT_RD, LONG);
	left = timer_left();
	assert_true(left > 0);
	assert_int_equal(guard_end(), STATUS_OK);
	guard_begin(SHUT_RDWR, LONG * 2);
	assert_true(timer_left() <= left);
	guard_begin(SHUT_RDWR, LONG / 2);
	assert_true(timer_left() <= (int64_t)LONG * 500);
	assert_int_equal(guard_end(), STATUS_OK);
	guard_close();
	assert_int_equal(timer_left(), 0);
	guard_close(); /* nothing is open */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_blocks_too_long_is_shut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_ends_with_the_drain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_retires_has_all_its_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(now_is_now_whatever_the_drain_would_have_had,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_block_is_done_after_the_end_too,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(signals_come_through_between_open_and_close, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_timer_is_set_once_for_many, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
