/* The breakers: their states by a clock of our own, and many processes at one server. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "base/clock.h"
#include "chat/breaker.h"
#include "chat/limit_file.h"

static struct {
	int64_t now;
} time_here = { 1000000 };

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
};

static int make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_int_equal(model_shared_open(NULL, &world->shared, NULL), STATUS_OK);
	assert_int_equal(limit_open(NULL, 4, &world->limit), STATUS_OK);
	assert_int_equal(counter_table_open(NULL, 4, &world->counters, NULL), STATUS_OK);
	breaker_init(&world->one, world->shared, &config, world->limit, 0,
		     counter_table_slot(world->counters, 0));
	breaker_init(&world->two, world->shared, &config, world->limit, 1,
		     counter_table_slot(world->counters, 1));
	world->two.pid = getppid(); /* a process that lives */
	*state = world;
	return 0;
}

static int free_world(void **state)
{
	struct world *world = *state;

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

static void fail_once(struct breaker *breaker, const struct model_server *server)
{
	assert_int_equal(enter(breaker, server), BREAKER_YES);
	breaker_failed(breaker, "HTTP status 503");
	breaker_leave(breaker);
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
	breaker_succeeded(&world->one); /* in a row */
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
	assert_int_equal(enter(&world->two, A), BREAKER_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(failures_in_a_row_open_it_for_all_workers,
						make_world, free_world),
		cmocka_unit_test_setup_teardown(one_finds_out_and_its_success_closes_it, make_world,
						free_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
