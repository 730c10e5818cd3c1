/* edge/silent: who is held, who is given away, and who is closed. */
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "edge/silent.h"

#define MOST 4

static struct silent silent;
static int ours[MOST + 1], theirs[MOST + 1];

static int set_up(void **state)
{
	(void)state;
	return silent_init(&silent, MOST);
}

static int tear_down(void **state)
{
	(void)state;
	silent_clear(&silent);
	return 0;
}

static void add(int n, int64_t until)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ours[n] = ends[0];
	theirs[n] = ends[1];
	silent_add(&silent, ends[0], until);
}

static bool is_closed(int n)
{
	return send(theirs[n], "x", 1, MSG_NOSIGNAL) < 0;
}

static void looks_without_taking(void **state)
{
	char byte;

	(void)state;
	add(0, 100);
	assert_int_equal(silent_look(ours[0]), STATUS_TIMEOUT);
	assert_int_equal(write(theirs[0], "x", 1), 1);
	assert_int_equal(silent_look(ours[0]), STATUS_OK);
	assert_int_equal(read(ours[0], &byte, 1), 1);
	assert_int_equal(silent_look(ours[0]), STATUS_TIMEOUT);
	close(theirs[0]);
	assert_int_equal(silent_look(ours[0]), STATUS_CLOSED);
	assert_int_equal(silent_look(-1), STATUS_CLOSED);
}

/* Those who spoke are given away, in their order; who left and whose time is over are closed. */
static void only_the_silent_stay(void **state)
{
	int out[MOST];

	(void)state;
	add(0, 100);
	add(1, 200);
	add(2, 200);
	add(3, 200);
	assert_int_equal(silent_take(&silent, 99, MOST, out), 0);
	assert_int_equal(silent.count, 4);
	assert_int_equal(write(theirs[1], "x", 1), 1);
	close(theirs[2]);
	assert_int_equal(silent_take(&silent, 100, MOST, out), 1);
	assert_int_equal(out[0], ours[1]);
	assert_int_equal(silent.count, 1);
	assert_int_equal(silent.all[0].fd, ours[3]);
	assert_true(is_closed(0));
	close(theirs[0]);
	close(ours[1]);
	close(theirs[1]);
	close(theirs[3]);
}

static void who_has_no_place_in_the_answer_stays(void **state)
{
	int out[MOST], i;

	(void)state;
	for (i = 0; i < 3; i++) {
		add(i, 100);
		assert_int_equal(write(theirs[i], "x", 1), 1);
	}
	assert_int_equal(silent_take(&silent, 1, 2, out), 2);
	assert_int_equal(silent.count, 1);
	assert_int_equal(silent_take(&silent, 1, 2, out + 2), 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(out[i], ours[i]);
		close(ours[i]);
		close(theirs[i]);
	}
}

static void the_oldest_makes_room(void **state)
{
	int i;

	(void)state;
	assert_false(silent_drop(&silent));
	for (i = 0; i <= MOST; i++)
		add(i, 100);
	assert_int_equal(silent.count, MOST);
	assert_true(is_closed(0));
	assert_true(silent_drop(&silent));
	assert_true(is_closed(1));
	assert_false(is_closed(2));
	for (i = 0; i <= MOST; i++)
		close(theirs[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(looks_without_taking),
		TEST(only_the_silent_stay),
		TEST(who_has_no_place_in_the_answer_stays),
		TEST(the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
