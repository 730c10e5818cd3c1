/* The breakers: their states by a clock of our own, and many processes at one server. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#include "base/clock.h"
#include "base/log.h"
#include "chat/breaker.h"
#include "chat/limit_file.h"

static struct {
	int64_t now;
} time_here;

int64_t clock_ms(void)
{
	return time_here.now;
}

int64_t clock_wall_ms(void)
{
	return time_here.now;
}

void clock_stamp(char out[CLOCK_STAMP_SIZE])
{
	snprintf(out, CLOCK_STAMP_SIZE, "stamp");
}

#define SERVER(n, most)                                                                            \
	{                                                                                          \
		.name = n, .url = "http://" n "/v1", .key = "", .headers = "", .members = "",      \
		.ca = "", .models = "", .connect_ms = 1000, .first_ms = 2000, .idle_ms = 2000,     \
		.open_most = most                                                                  \
	}

static struct config config = {
	.model_server_count = 2,
	.model_servers = { SERVER("a", 0), SERVER("b", 1) },
};

#define A (&config.model_servers[0])
#define B (&config.model_servers[1])

struct world {
	struct model_shared *shared;
	struct limit *limit;
	struct counter_table *counters;
	struct breaker one, two; /* of two workers */
	struct buf log;
};

static int make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	time_here.now = 1000000;
	assert_int_equal(model_shared_open(NULL, &world->shared, NULL), STATUS_OK);
	assert_int_equal(limit_open(NULL, 16, &world->limit), STATUS_OK);
	assert_int_equal(counter_table_open(NULL, 16, &world->counters, NULL), STATUS_OK);
	breaker_init(&world->one, world->shared, &config, world->limit, 0,
		     counter_table_take(world->counters, 0));
	breaker_init(&world->two, world->shared, &config, world->limit, 1,
		     counter_table_take(world->counters, 1));
	world->two.pid = getppid(); /* a process that lives */
	buf_init(&world->log, 1 << 16);
	log_divert(&world->log);
	*state = world;
	return 0;
}

static int free_world(void **state)
{
	struct world *world = *state;

	log_divert(NULL);
	buf_clear(&world->log);
	model_shared_close(world->shared);
	limit_close(world->limit);
	counter_table_close(world->counters);
	free(world);
	return 0;
}

static enum breaker_answer enter(struct breaker *breaker, const struct model_server *server)
{
	int64_t until = 0;

	return breaker_enter(breaker, server, &until);
}

static void end_in_failure(struct breaker *breaker)
{
	breaker_failed(breaker, "HTTP status 503");
	breaker_leave(breaker);
}

static void fail_once(struct breaker *breaker, const struct model_server *server)
{
	assert_int_equal(enter(breaker, server), BREAKER_YES);
	end_in_failure(breaker);
}

static void open_it(struct world *world, const struct model_server *server)
{
	int i;

	for (i = 0; i < BREAKER_FAILURES; i++)
		fail_once(i % 2 ? &world->two : &world->one, server);
}

static uint64_t opened(const struct world *world)
{
	return counter_table_sum(world->counters, COUNTER_BREAKERS);
}

static void failures_in_a_row_open_it_for_all_workers(void **state)
{
	struct world *world = *state;
	int64_t until = 0;

	fail_once(&world->one, A);
	fail_once(&world->two, A);
	assert_int_equal(enter(&world->one, A), BREAKER_YES);
	breaker_succeeded(&world->one); /* so it was no row */
	open_it(world, A);
	assert_int_equal(opened(world), 1);
	assert_int_equal(breaker_enter(&world->one, A, &until), BREAKER_OPEN);
	assert_int_equal(until, time_here.now + BREAKER_PAUSE_MS);
	assert_int_equal(enter(&world->two, A), BREAKER_OPEN);
	assert_int_equal(enter(&world->two, B), BREAKER_YES);
}

static void one_finds_out_and_its_success_closes_it(void **state)
{
	struct world *world = *state;

	open_it(world, A);
	time_here.now += BREAKER_PAUSE_MS - 1;
	assert_int_equal(enter(&world->one, A), BREAKER_OPEN);
	time_here.now++;
	assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
	assert_int_equal(enter(&world->two, A), BREAKER_OPEN);
	breaker_succeeded(&world->one);
	assert_int_equal(enter(&world->two, A), BREAKER_YES);
	breaker_leave(&world->one);
	/* And it begins anew: one failure opens nothing. */
	fail_once(&world->one, A);
	fail_once(&world->one, A);
	assert_int_equal(enter(&world->one, A), BREAKER_YES);
}

static void the_pause_grows_up_to_the_longest(void **state)
{
	static const int64_t pauses[] = { 5000,	  10000,  20000,  40000, 80000,
					  160000, 300000, 300000, 300000 };
	struct world *world = *state;
	int64_t until = 0;
	size_t i;

	open_it(world, A);
	for (i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		assert_int_equal(breaker_enter(&world->two, A, &until), BREAKER_OPEN);
		assert_int_equal(until, time_here.now + pauses[i]);
		time_here.now = until;
		assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
		end_in_failure(&world->one);
	}
	assert_int_equal(opened(world), 1);
	time_here.now += BREAKER_PAUSE_MOST_MS;
	assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
	breaker_succeeded(&world->one);
	open_it(world, A);
	breaker_enter(&world->two, A, &until);
	assert_int_equal(until, time_here.now + BREAKER_PAUSE_MS);
}

/* Those that were on their way when it opened, and those that had nowhere else to go. */
static void what_others_meet_while_it_is_open_makes_no_pause_longer(void **state)
{
	struct world *world = *state;
	int64_t before = 0, after = 0;

	open_it(world, A);
	breaker_enter(&world->two, A, &before);
	time_here.now += 1000;
	assert_true(breaker_insist(&world->one, A));
	end_in_failure(&world->one);
	assert_int_equal(breaker_enter(&world->two, A, &after), BREAKER_OPEN);
	assert_int_equal(before, after);
	/* Nor what they meet while another one finds out; but an answer is an answer. */
	time_here.now = after;
	assert_int_equal(enter(&world->two, A), BREAKER_PROBE);
	assert_true(breaker_insist(&world->one, A));
	end_in_failure(&world->one);
	assert_int_equal(enter(&world->one, A), BREAKER_OPEN);
	assert_true(breaker_insist(&world->one, A));
	breaker_succeeded(&world->one);
	assert_int_equal(enter(&world->one, A), BREAKER_YES);
	end_in_failure(&world->two);
	assert_int_equal(enter(&world->one, A), BREAKER_YES);
}

static void one_that_insists_takes_the_probe_if_it_is_due(void **state)
{
	struct world *world = *state;

	open_it(world, A);
	time_here.now += BREAKER_PAUSE_MS;
	assert_true(breaker_insist(&world->one, A));
	assert_int_equal(enter(&world->two, A), BREAKER_OPEN);
	end_in_failure(&world->one);
	time_here.now += BREAKER_PAUSE_MS;
	assert_int_equal(enter(&world->two, A), BREAKER_OPEN); /* twice as long */
}

static void a_probe_that_found_out_nothing_is_given_back(void **state)
{
	struct world *world = *state;
	int64_t until = 0;

	open_it(world, A);
	time_here.now += BREAKER_PAUSE_MS;
	assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
	breaker_leave(&world->one); /* its client left */
	assert_int_equal(enter(&world->two, A), BREAKER_PROBE);
	end_in_failure(&world->two);
	assert_int_equal(breaker_enter(&world->one, A, &until), BREAKER_OPEN);
	assert_int_equal(until, time_here.now + 2 * BREAKER_PAUSE_MS);
	/* Who enters another server has left the first. */
	time_here.now = until;
	assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
	assert_int_equal(enter(&world->one, B), BREAKER_YES);
	assert_int_equal(enter(&world->two, A), BREAKER_PROBE);
}

static void a_probe_has_its_time(void **state)
{
	struct world *world = *state;
	int64_t until = 0;

	open_it(world, A);
	time_here.now += BREAKER_PAUSE_MS;
	assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
	assert_int_equal(breaker_enter(&world->two, A, &until), BREAKER_OPEN);
	assert_int_equal(until, time_here.now + A->connect_ms + A->first_ms);
	time_here.now = until;
	assert_int_equal(enter(&world->two, A), BREAKER_PROBE);
	/* The late one's end is nobody's any more. */
	end_in_failure(&world->one);
	breaker_succeeded(&world->two);
	assert_int_equal(enter(&world->one, A), BREAKER_YES);
}

static void wait_for(pid_t pid)
{
	int result;

	assert_int_equal(waitpid(pid, &result, 0), pid);
}

/* A worker that enters `server` and is killed there. */
static void one_dies_in(struct world *world, uint32_t holder, const struct model_server *server,
			enum breaker_answer expected)
{
	struct breaker breaker;
	int result;
	pid_t pid = fork();

	if (pid == 0) {
		breaker_init(&breaker, world->shared, &config, world->limit, holder,
			     (struct counters){ NULL, NULL });
		if (enter(&breaker, server) == expected)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &result, 0), pid);
	assert_true(WIFSIGNALED(result));
}

static void a_prober_that_died_frees_the_probe(void **state)
{
	struct world *world = *state;
	int64_t until = 0;

	open_it(world, A);
	time_here.now += BREAKER_PAUSE_MS;
	one_dies_in(world, 2, A, BREAKER_PROBE);
	assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
	end_in_failure(&world->one);
	breaker_enter(&world->one, A, &until);
	assert_int_equal(until, time_here.now + 2 * BREAKER_PAUSE_MS);
}

static void a_server_has_as_many_requests_as_it_may(void **state)
{
	struct world *world = *state;

	assert_int_equal(enter(&world->one, B), BREAKER_YES);
	assert_int_equal(enter(&world->two, B), BREAKER_FULL);
	assert_false(breaker_insist(&world->two, B));
	assert_int_equal(enter(&world->two, A), BREAKER_YES);
	breaker_succeeded(&world->one); /* its first token is not its end */
	assert_int_equal(enter(&world->two, B), BREAKER_FULL);
	breaker_leave(&world->one);
	assert_int_equal(enter(&world->two, B), BREAKER_YES);
	breaker_leave(&world->two);
	/* What a dead worker held: the master gives it back, or who finds it. */
	one_dies_in(world, 2, B, BREAKER_YES);
	assert_int_equal(enter(&world->two, B), BREAKER_YES);
	breaker_leave(&world->two);
	/* A full one that is due is no probe. */
	open_it(world, B);
	time_here.now += BREAKER_PAUSE_MS;
	assert_true(limit_hold(world->limit, 5, LIMIT_SERVER,
			       (struct str){ (const char *)&world->one.ids[1], 8 }, 1));
	assert_int_equal(enter(&world->one, B), BREAKER_FULL);
	limit_release(world->limit, 5);
	assert_int_equal(enter(&world->one, B), BREAKER_PROBE);
}

static void its_place_does_not_take_the_clients(void **state)
{
	struct world *world = *state;

	assert_true(limit_hold(world->limit, 0, LIMIT_OPEN, STR("192.0.2.1"), 1));
	assert_int_equal(enter(&world->one, B), BREAKER_YES);
	assert_true(limit_hold(world->limit, 0, LIMIT_OPEN, STR("192.0.2.2"), 1));
	breaker_leave(&world->one);
	assert_false(limit_hold(world->limit, 1, LIMIT_OPEN, STR("192.0.2.1"), 1));
	assert_false(limit_hold(world->limit, 1, LIMIT_OPEN, STR("192.0.2.2"), 1));
	assert_int_equal(enter(&world->two, B), BREAKER_YES);
}

static void a_reload_leaves_what_it_did_not_change(void **state)
{
	struct world *world = *state;
	struct config fresh = {
		.model_server_count = 3,
		.model_servers = { SERVER("new", 0), SERVER("b", 1), SERVER("a", 0) },
	};
	struct breaker after;

	open_it(world, A);
	open_it(world, B);
	fresh.model_servers[1].key = "mended";
	breaker_init(&after, world->shared, &fresh, world->limit, 2,
		     (struct counters){ NULL, NULL });
	assert_int_equal(enter(&after, &fresh.model_servers[2]), BREAKER_OPEN);
	assert_int_equal(enter(&after, &fresh.model_servers[1]), BREAKER_YES);
	assert_int_equal(enter(&after, &fresh.model_servers[0]), BREAKER_YES);
}

static void the_one_unused_for_longest_gives_way(void **state)
{
	struct world *world = *state;
	struct config other = { .model_server_count = 1, .model_servers = { SERVER("x", 0) } };
	struct breaker breaker;
	char name[16];
	int i;

	open_it(world, A);
	other.model_servers[0].name = name;
	for (i = 0; i < 3 * BREAKER_ENTRIES; i++) {
		time_here.now++;
		snprintf(name, sizeof(name), "x%d", i);
		breaker_init(&breaker, world->shared, &other, world->limit, 2,
			     (struct counters){ NULL, NULL });
		fail_once(&breaker, &other.model_servers[0]);
		if (i < 2 * BREAKER_ENTRIES)
			assert_int_equal(enter(&world->two, A), BREAKER_OPEN);
	}
	time_here.now++;
	assert_int_equal(enter(&world->two, A), BREAKER_YES);
}

/* Without the memory, or without a breaker at all, a server may be asked. */
static void what_cannot_be_known_stops_nobody(void **state)
{
	struct world *world = *state;
	struct breaker alone;
	int i;

	breaker_init(&alone, NULL, &config, world->limit, 3, (struct counters){ NULL, NULL });
	for (i = 0; i < 2 * BREAKER_FAILURES; i++)
		fail_once(&alone, B);
	assert_int_equal(enter(NULL, A), BREAKER_YES);
	assert_true(breaker_insist(NULL, A));
	breaker_failed(NULL, "");
	breaker_succeeded(NULL);
	breaker_leave(NULL);
	/* And without a server that was entered, nothing is said of one. */
	breaker_failed(&world->one, "");
	breaker_succeeded(&world->one);
	breaker_leave(&world->one);
}

static int lines_with(struct world *world, const char *words)
{
	const char *at = buf_text(&world->log);
	int n = 0;

	while ((at = strstr(at, words))) {
		at += strlen(words);
		n++;
	}
	return n;
}

static void each_change_is_logged_once(void **state)
{
	struct world *world = *state;

	open_it(world, A);
	assert_true(breaker_insist(&world->two, A));
	end_in_failure(&world->two);
	assert_int_equal(lines_with(world, "\n"), 1);
	assert_int_equal(lines_with(world, "model server a failed 3 times in a row (HTTP status "
					   "503): its breaker opens for 5 s"),
			 1);
	time_here.now += BREAKER_PAUSE_MS;
	assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
	end_in_failure(&world->one);
	assert_int_equal(lines_with(world, "\n"), 2);
	assert_int_equal(lines_with(world, "a still fails (HTTP status 503): its breaker stays "
					   "open for 10 s"),
			 1);
	assert_true(breaker_insist(&world->one, A));
	breaker_succeeded(&world->one);
	breaker_succeeded(&world->one);
	assert_int_equal(lines_with(world, "\n"), 3);
	assert_int_equal(lines_with(world, "model server a answers again: its breaker is closed"),
			 1);
}

static void the_operator_is_shown_each_state(void **state)
{
	struct world *world = *state;

	breaker_show(world->shared, &config);
	assert_int_equal(lines_with(world, "its breaker is closed"), 2);
	fail_once(&world->one, B);
	open_it(world, A);
	buf_reset(&world->log);
	time_here.now += 1500;
	breaker_show(world->shared, &config);
	assert_int_equal(lines_with(world, "model server a: its breaker is open for 3.5 s more"),
			 1);
	assert_int_equal(
		lines_with(world, "model server b: its breaker is closed; 1 failures in a row"), 1);
	time_here.now += BREAKER_PAUSE_MS;
	assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
	buf_reset(&world->log);
	breaker_show(world->shared, &config);
	assert_int_equal(lines_with(world, "finds out"), 1);
}

/* What eight processes did at once, each `act`, summed over a pipe. */
static int of_eight(struct world *world, int (*act)(struct world *world, struct breaker *breaker))
{
	struct breaker breaker;
	int begin[2], done[2], i, one = 0, sum = 0;
	pid_t pids[8];
	char byte;

	assert_int_equal(pipe(begin), 0);
	assert_int_equal(pipe(done), 0);
	for (i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		close(begin[1]);
		breaker_init(&breaker, world->shared, &config, world->limit, (uint32_t)(2 + i),
			     counter_table_take(world->counters, (uint32_t)(2 + i)));
		if (read(begin[0], &byte, 1)) /* all begin when it is closed */
			_exit(1);
		one = act(world, &breaker);
		if (write(done[1], &one, sizeof(one)) != sizeof(one))
			_exit(1);
		pause();
	}
	close(begin[0]);
	close(begin[1]);
	for (i = 0; i < 8; i++) {
		assert_int_equal(read(done[0], &one, sizeof(one)), sizeof(one));
		sum += one;
	}
	for (i = 0; i < 8; i++) {
		kill(pids[i], SIGKILL);
		wait_for(pids[i]);
	}
	close(done[0]);
	close(done[1]);
	return sum;
}

static int fail_often(struct world *world, struct breaker *breaker)
{
	int i, asked = 0;

	(void)world;
	for (i = 0; i < 100; i++) {
		if (enter(breaker, A) != BREAKER_YES)
			continue;
		asked++;
		end_in_failure(breaker);
	}
	return asked;
}

static int try_probe(struct world *world, struct breaker *breaker)
{
	(void)world;
	return enter(breaker, A) == BREAKER_PROBE;
}

static void of_many_at_once_one_opens_it_and_one_finds_out(void **state)
{
	struct world *world = *state;
	int round, asked;

	for (round = 0; round < 50; round++) {
		asked = of_eight(world, fail_often);
		assert_in_range(asked, BREAKER_FAILURES, BREAKER_FAILURES + 7);
		assert_int_equal(opened(world), round + 1);
		time_here.now += BREAKER_PAUSE_MS;
		assert_int_equal(of_eight(world, try_probe), 1);
		/* They died: it is free again at once. */
		assert_int_equal(enter(&world->one, A), BREAKER_PROBE);
		breaker_succeeded(&world->one);
		breaker_leave(&world->one);
	}
}

static int be_first(struct world *world, struct breaker *breaker)
{
	(void)world;
	enter(breaker, A);
	end_in_failure(breaker);
	return 0;
}

/* On fresh memory nobody has an entry yet. */
static void many_at_once_make_one_entry(void **state)
{
	struct world *world = *state;
	int round, i, n;

	for (round = 0; round < 50; round++) {
		memset(&world->shared->breakers, 0, sizeof(world->shared->breakers));
		of_eight(world, be_first);
		for (i = n = 0; i < BREAKER_ENTRIES; i++)
			n += atomic_load(&world->shared->breakers.entries[i].id) ==
			     world->one.ids[0];
		assert_int_equal(n, 1);
	}
}

static void work_forever(struct world *world, int ready)
{
	struct breaker breaker;
	unsigned i;

	breaker_init(&breaker, world->shared, &config, world->limit, 2,
		     (struct counters){ NULL, NULL });
	log_divert(NULL);
	for (i = 0;; i++) {
		if (breaker_insist(&breaker, i & 1 ? A : B)) {
			if (i % 7 == 0)
				breaker_succeeded(&breaker);
			else
				breaker_failed(&breaker, "");
		}
		if (!i && write(ready, "", 1) != 1)
			_exit(1);
		time_here.now += 1000;
	}
}

static void kill_at_any_moment_harms_nobody(void **state)
{
	struct world *world = *state;
	struct timespec bit = { 0 };
	int round, fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	for (round = 0; round < 200; round++) {
		pid = fork();
		if (pid == 0) {
			if (dup2(open("/dev/null", O_WRONLY), STDERR_FILENO) < 0)
				_exit(1);
			work_forever(world, fds[1]);
		}
		assert_int_equal(read(fds[0], &byte, 1), 1);
		bit.tv_nsec = round * 997 % 300000;
		nanosleep(&bit, NULL);
		kill(pid, SIGKILL);
		wait_for(pid);
		/* Nobody holds anything: at the latest when a pause is over, one can ask. */
		time_here.now += 10 * BREAKER_PAUSE_MOST_MS;
		assert_int_not_equal(enter(&world->one, A), BREAKER_FULL);
		assert_int_not_equal(enter(&world->one, B), BREAKER_FULL);
		assert_true(breaker_insist(&world->one, B));
		breaker_succeeded(&world->one);
		assert_int_equal(enter(&world->one, B), BREAKER_YES);
		breaker_leave(&world->one);
	}
	close(fds[0]);
	close(fds[1]);
}

static void workers_without_a_master_share_a_file(void **state)
{
	struct world *world = *state;
	struct model_shared *first = NULL, *second = NULL;
	char path[] = "/tmp/banter-models.XXXXXX";
	int fd = mkstemp(path);
	struct breaker one, two;
	const char *why = "";

	assert_true(fd >= 0);
	assert_int_equal(model_shared_open(path, &first, &why), STATUS_OK);
	assert_int_equal(model_shared_open(path, &second, &why), STATUS_OK);
	breaker_init(&one, first, &config, world->limit, 0, (struct counters){ NULL, NULL });
	breaker_init(&two, second, &config, world->limit, 1, (struct counters){ NULL, NULL });
	fail_once(&one, A);
	fail_once(&two, A);
	fail_once(&one, A);
	assert_int_equal(enter(&two, A), BREAKER_OPEN);
	model_shared_close(first);
	model_shared_close(second);
	model_shared_close(NULL);
	assert_int_equal(pwrite(fd, "a diary\n", 8, 0), 8);
	assert_int_equal(model_shared_open(path, &first, &why), STATUS_FAILED);
	assert_string_equal(why, "it is something else");
	close(fd);
	unlink(path);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, free_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(failures_in_a_row_open_it_for_all_workers),
		IN_WORLD(one_finds_out_and_its_success_closes_it),
		IN_WORLD(the_pause_grows_up_to_the_longest),
		IN_WORLD(what_others_meet_while_it_is_open_makes_no_pause_longer),
		IN_WORLD(one_that_insists_takes_the_probe_if_it_is_due),
		IN_WORLD(a_probe_that_found_out_nothing_is_given_back),
		IN_WORLD(a_probe_has_its_time),
		IN_WORLD(a_prober_that_died_frees_the_probe),
		IN_WORLD(a_server_has_as_many_requests_as_it_may),
		IN_WORLD(its_place_does_not_take_the_clients),
		IN_WORLD(a_reload_leaves_what_it_did_not_change),
		IN_WORLD(the_one_unused_for_longest_gives_way),
		IN_WORLD(what_cannot_be_known_stops_nobody),
		IN_WORLD(each_change_is_logged_once),
		IN_WORLD(the_operator_is_shown_each_state),
		IN_WORLD(of_many_at_once_one_opens_it_and_one_finds_out),
		IN_WORLD(many_at_once_make_one_entry),
		IN_WORLD(kill_at_any_moment_harms_nobody),
		IN_WORLD(workers_without_a_master_share_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
