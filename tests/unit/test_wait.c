/* base/wait: deadlines, the client's leaving, beats, the drain, and signals. Descriptors decide, not times. */
#include "unit.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"

/* A guard against hanging only. */
#define LONG 60000

/* Any two slots. */
enum { CLIENT = 3, OTHER = 5 };

static volatile sig_atomic_t signals_seen;

static void on_signal(int number)
{
	(void)number;
	signals_seen++;
}

static int64_t later(void)
{
	return clock_ms() + LONG;
}

static void make_pipe(int fds[2])
{
	assert_int_equal(pipe(fds), 0);
}

static void close_both(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static void deadline_passes(void **state)
{
	struct wait wait;
	int64_t end;

	(void)state;
	wait_init(&wait);
	assert_int_equal(wait_some(&wait, clock_ms()), STATUS_TIMEOUT);
	assert_int_equal(wait_some(&wait, 0), STATUS_TIMEOUT);
	end = clock_ms() + 20;
	assert_int_equal(wait_some(&wait, end), STATUS_TIMEOUT);
	assert_true(clock_ms() >= end);
}

static void descriptors_end_it(void **state)
{
	struct wait wait;
	int a[2], b[2], slot;
	char c;

	(void)state;
	make_pipe(a);
	make_pipe(b);
	wait_init(&wait);
	for (slot = 0; slot < WAIT_SLOTS; slot++) {
		wait_watch(&wait, (slot + 1) % WAIT_SLOTS, b[0], POLLIN);
		wait_watch(&wait, slot, a[0], POLLIN);
		assert_int_equal(write(a[1], "x", 1), 1);
		assert_int_equal(wait_some(&wait, later()), STATUS_OK);
		assert_int_equal(wait.fds[slot].revents, POLLIN);
		assert_int_equal(read(a[0], &c, 1), 1);
		wait_watch(&wait, slot, -1, 0);
		assert_int_equal(wait_some(&wait, clock_ms()), STATUS_TIMEOUT);
	}
	/* Without a client, no end of a descriptor is a client's leaving. */
	for (slot = 0; slot < WAIT_SLOTS; slot++)
		wait_watch(&wait, slot, b[0], POLLIN);
	close(b[1]);
	b[1] = -1;
	assert_int_equal(wait_some(&wait, later()), STATUS_OK);
	assert_false(wait_client_left(&wait));
	close_both(a);
	close_both(b);
}

/* The client is a socket as the web server's: it goes by closing, or by closing one direction. */
static void client_leaves(void **state)
{
	struct wait wait;
	int pair[2], how;

	(void)state;
	for (how = 0; how < 2; how++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		wait_init(&wait);
		wait_client(&wait, CLIENT, pair[0]);
		/* What it still sends is not its leaving. */
		assert_int_equal(write(pair[1], "more", 4), 4);
		assert_int_equal(wait_some(&wait, clock_ms() + 1), STATUS_TIMEOUT);
		assert_false(wait.client_left);
		if (how)
			shutdown(pair[1], SHUT_WR);
		else
			close(pair[1]);
		while (!wait.client_left)
			assert_int_equal(wait_some(&wait, later()), STATUS_OK);
		assert_int_equal(wait_some(&wait, later()), STATUS_CLOSED);
		assert_int_equal(wait_some(&wait, 0), STATUS_CLOSED);
		close(pair[0]);
		if (how)
			close(pair[1]);
	}
}

static bool answer(void *context)
{
	int *asked = context;

	return ++*asked == 1;
}

/* What runs may go on without its client: the wait goes on too, until it is told otherwise. */
static void who_is_left_may_go_on(void **state)
{
	struct wait wait;
	int pair[2], asked = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	wait_init(&wait);
	wait_client(&wait, CLIENT, pair[0]);
	wait.left = answer;
	wait.left_context = &asked;
	close(pair[1]);
	while (!asked)
		assert_int_equal(wait_some(&wait, later()), STATUS_OK);
	assert_false(wait.client_left);
	assert_int_equal(wait_some(&wait, clock_ms() + 1), STATUS_TIMEOUT);
	assert_int_equal(asked, 1);
	wait.client_left = true; /* a write failed */
	wait_undisturbed(&wait, true);
	assert_int_equal(wait_some(&wait, clock_ms() + 1), STATUS_TIMEOUT);
	assert_int_equal(asked, 1);
	wait_undisturbed(&wait, false);
	assert_int_equal(wait_some(&wait, later()), STATUS_CLOSED);
	assert_int_equal(asked, 2);
	close(pair[0]);
}

static void next_client_starts_anew(void **state)
{
	struct wait wait;
	int gone[2], here[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, gone), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, here), 0);
	close(gone[1]);
	wait_init(&wait);
	wait_client(&wait, CLIENT, gone[0]);
	while (!wait.client_left)
		assert_int_equal(wait_some(&wait, later()), STATUS_OK);
	wait_undisturbed(&wait, true);
	wait_client(&wait, CLIENT, here[0]);
	assert_false(wait.undisturbed);
	assert_int_equal(wait_some(&wait, clock_ms()), STATUS_TIMEOUT);
	close(gone[0]);
	close_both(here);
}

static void storing_is_not_disturbed(void **state)
{
	const volatile sig_atomic_t stop = WAIT_DRAIN;
	struct wait wait;
	int pair[2], db[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	make_pipe(db);
	wait_init(&wait);
	wait.stop = &stop;
	wait.drain_ms = 0;
	wait_client(&wait, CLIENT, pair[0]);
	wait_undisturbed(&wait, true);
	close(pair[1]);
	while (!wait.client_left)
		assert_int_equal(wait_some(&wait, later()), STATUS_OK);
	wait_watch(&wait, OTHER, db[0], POLLIN);
	assert_int_equal(wait_some(&wait, clock_ms() + 1), STATUS_TIMEOUT);
	assert_int_equal(write(db[1], "x", 1), 1);
	assert_int_equal(wait_some(&wait, later()), STATUS_OK);
	assert_int_equal(wait.fds[OTHER].revents, POLLIN);
	/* What was held back is told then. */
	wait_undisturbed(&wait, false);
	assert_int_equal(wait_some(&wait, later()), STATUS_CLOSED);
	close(pair[0]);
	close_both(db);
}

/* Somebody wants what runs here to end: that exchange, and no other. */
static void an_exchange_that_is_to_end(void **state)
{
	struct running running = { 0 };
	struct running_exchange one;
	struct wait wait;

	(void)state;
	wait_init(&wait);
	wait.running = &running;
	running_begin(&running, 5, "x");
	assert_int_equal(wait_some(&wait, clock_ms()), STATUS_TIMEOUT);
	assert_true(running_read(&running, &one));
	running_end(&running, one.number);
	assert_int_equal(wait_some(&wait, later()), STATUS_STOPPED);
	assert_int_equal(wait_some(&wait, later()), STATUS_STOPPED);
	/* What is being stored is stored. */
	wait_undisturbed(&wait, true);
	assert_int_equal(wait_some(&wait, clock_ms()), STATUS_TIMEOUT);
	wait_undisturbed(&wait, false);
	running_begin(&running, 5, "y");
	assert_int_equal(wait_some(&wait, clock_ms()), STATUS_TIMEOUT);
}

static void a_look_does_not_wait(void **state)
{
	struct wait wait;
	int pair[2];

	(void)state;
	wait_init(&wait);
	assert_false(wait_client_left(&wait));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	wait_client(&wait, CLIENT, pair[0]);
	assert_false(wait_client_left(&wait));
	close(pair[1]);
	assert_true(wait_client_left(&wait));
	assert_true(wait_client_left(&wait));
	assert_int_equal(wait_some(&wait, later()), STATUS_CLOSED);
	close(pair[0]);
}

struct beats {
	struct wait *wait;
	int count;
	int write_to; /* a byte goes there at the third beat */
};

static void beat(void *context)
{
	struct beats *beats = context;

	beats->wait->beat_at = clock_ms() + 1;
	if (++beats->count == 3)
		assert_int_equal(write(beats->write_to, "x", 1), 1);
}

static void beats_go_on_while_waiting(void **state)
{
	struct beats beats;
	struct wait wait;
	int fds[2];

	(void)state;
	make_pipe(fds);
	wait_init(&wait);
	beats = (struct beats){ &wait, 0, fds[1] };
	wait.beat = beat;
	wait.beat_context = &beats;
	/* A beat alone ends no wait: only the third one's byte does. */
	wait.beat_at = clock_ms() + 1;
	wait_watch(&wait, OTHER, fds[0], POLLIN);
	assert_int_equal(wait_some(&wait, later()), STATUS_OK);
	assert_true(beats.count >= 3);
	/* Late ones are made up before anything else; without a beat there are none. */
	wait.beat_at = 0;
	beats.count = 10;
	assert_int_equal(wait_some(&wait, later()), STATUS_OK);
	assert_true(beats.count >= 11);
	wait.beat = NULL;
	wait.beat_at = 0;
	wait_watch(&wait, OTHER, -1, 0);
	assert_int_equal(wait_some(&wait, clock_ms() + 1), STATUS_TIMEOUT);
	close_both(fds);
}

static void drain_ends_it(void **state)
{
	volatile sig_atomic_t stop = 0;
	struct wait wait;
	int64_t begun;

	(void)state;
	wait_init(&wait);
	wait.stop = &stop;
	wait.drain_ms = LONG * 10;
	assert_int_equal(wait_some(&wait, clock_ms()), STATUS_TIMEOUT);
	assert_int_equal(wait.stop_at, CLOCK_NEVER);
	begun = clock_ms();
	stop = WAIT_DRAIN;
	assert_int_equal(wait_some(&wait, clock_ms() + 1), STATUS_TIMEOUT);
	assert_true(wait.stop_at >= begun + wait.drain_ms);
	wait.stop_at = clock_ms() + 5;
	assert_int_equal(wait_some(&wait, later()), STATUS_STOPPED);
	assert_int_equal(wait_some(&wait, later()), STATUS_STOPPED);
	wait_init(&wait);
	wait.stop = &stop;
	wait.drain_ms = 0;
	stop = WAIT_RETIRE;
	assert_int_equal(wait_some(&wait, clock_ms() + 1), STATUS_TIMEOUT);
	stop = WAIT_DRAIN;
	assert_int_equal(wait_some(&wait, later()), STATUS_STOPPED);
}

static void stopped(void *context)
{
	++*(int *)context;
}

/* And what is to be let go of at a stop is so once. */
static void now_ends_it_at_once(void **state)
{
	volatile sig_atomic_t stop = 0;
	struct wait wait;
	int told = 0;

	(void)state;
	wait_init(&wait);
	wait.stop = &stop;
	wait.drain_ms = LONG * 10;
	wait.stopping = stopped;
	wait.stopping_context = &told;
	assert_int_equal(wait_some(&wait, clock_ms()), STATUS_TIMEOUT);
	assert_int_equal(told, 0);
	stop = WAIT_DRAIN;
	assert_int_equal(wait_some(&wait, clock_ms() + 1), STATUS_TIMEOUT);
	stop = WAIT_NOW;
	assert_int_equal(wait_some(&wait, later()), STATUS_STOPPED);
	wait_see_stop(&wait, clock_ms());
	assert_int_equal(told, 1);
}

static void signals_come_only_while_waiting(void **state)
{
	const int numbers[] = { SIGTERM, SIGINT,  SIGQUIT, SIGHUP,   SIGCHLD,
				SIGUSR1, SIGUSR2, SIGALRM, SIGRTMIN, SIGRTMAX };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block, before;
	struct wait wait;
	size_t i;

	(void)state;
	sigemptyset(&block);
	for (i = 0; i < COUNT(numbers); i++)
		sigaddset(&block, numbers[i]);
	sigaddset(&block, SIGWINCH);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigaction(SIGWINCH, &action, NULL);
	wait_init(&wait);
	for (i = 0; i < COUNT(numbers); i++) {
		sigaction(numbers[i], &action, NULL);
		signals_seen = 0;
		raise(numbers[i]);
		assert_int_equal(signals_seen, 0);
		assert_int_equal(wait_some(&wait, later()), STATUS_OK);
		assert_int_equal(signals_seen, 1);
	}
	/* One that is blocked for its own reasons stays so. */
	raise(SIGWINCH);
	assert_int_equal(wait_some(&wait, clock_ms() + 1), STATUS_TIMEOUT);
	assert_int_equal(signals_seen, 1);
	signal(SIGWINCH, SIG_IGN);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static volatile sig_atomic_t stop_wanted;

static void on_stop(int number)
{
	(void)number;
	stop_wanted = 1;
}

static void idle_worker_waits(void **state)
{
	struct sigaction action = { .sa_handler = on_stop };
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 1 };
	int epoll = epoll_create1(EPOLL_CLOEXEC), fds[2];
	sigset_t block, before;
	struct wait wait;

	(void)state;
	assert_true(epoll >= 0);
	make_pipe(fds);
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event), 0);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigaction(SIGTERM, &action, NULL);
	wait_init(&wait);
	wait.stop = &stop_wanted;
	assert_int_equal(wait_epoll(&wait, epoll, clock_ms()), STATUS_TIMEOUT);
	assert_int_equal(wait_epoll(&wait, epoll, clock_ms() + 5), STATUS_TIMEOUT);
	assert_int_equal(wait.ready, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(wait_epoll(&wait, epoll, CLOCK_NEVER), STATUS_OK);
	assert_int_equal(wait.ready, 1);
	event.data.u32 = 2;
	event.events = EPOLLOUT;
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[1], &event), 0);
	assert_int_equal(wait_epoll(&wait, epoll, CLOCK_NEVER), STATUS_OK);
	assert_int_equal(wait.ready, 3);
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_DEL, fds[1], NULL), 0);
	assert_int_equal(read(fds[0], &(char){ 0 }, 1), 1);
	raise(SIGTERM);
	assert_int_equal(stop_wanted, 0);
	assert_int_equal(wait_epoll(&wait, epoll, CLOCK_NEVER), STATUS_STOPPED);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close_both(fds);
	close(epoll);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadline_passes),
		cmocka_unit_test(descriptors_end_it),
		cmocka_unit_test(client_leaves),
		cmocka_unit_test(who_is_left_may_go_on),
		cmocka_unit_test(next_client_starts_anew),
		cmocka_unit_test(storing_is_not_disturbed),
		cmocka_unit_test(an_exchange_that_is_to_end),
		cmocka_unit_test(a_look_does_not_wait),
		cmocka_unit_test(beats_go_on_while_waiting),
		cmocka_unit_test(drain_ends_it),
		cmocka_unit_test(now_ends_it_at_once),
		cmocka_unit_test(signals_come_only_while_waiting),
		cmocka_unit_test(idle_worker_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
