/* edge/lingering: who is read on, and when that ends. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/lingering.h"

static struct lingering lingering;

static int set_up(void **state)
{
	(void)state;
	lingering_init(&lingering);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lingering_clear(&lingering);
	return 0;
}

/* The web server's end of a connection that lingers. */
static int add(int64_t until)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	lingering_add(&lingering, ends[0], until);
	return ends[1];
}

static bool may_write(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL) == 1;
}

/* Says that nothing more comes, and takes what is sent. */
static void is_read_on(void **state)
{
	char bytes[65536] = { 0 };
	int i, fd = add(100);

	(void)state;
	assert_int_equal(read(fd, bytes, 1), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	for (i = 0; i < 64; i++) { /* more than the kernel holds */
		assert_true(send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0);
		lingering_look(&lingering, 1);
		lingering_look(&lingering, 1);
	}
	assert_int_equal(lingering.count, 1);
	close(fd);
}

static void ends_with_the_other_side(void **state)
{
	int first = add(100), second = add(100);

	(void)state;
	close(first);
	lingering_look(&lingering, 1);
	assert_int_equal(lingering.count, 1);
	assert_true(may_write(second));
	close(second);
	lingering_look(&lingering, 1);
	assert_int_equal(lingering.count, 0);
}

static void ends_with_its_time(void **state)
{
	int first = add(100), second = add(200);

	(void)state;
	lingering_look(&lingering, 99);
	assert_true(may_write(first) && may_write(second));
	lingering_look(&lingering, 100);
	assert_false(may_write(first));
	assert_true(may_write(second));
	close(first);
	close(second);
}

static void ends_with_what_nobody_is_owed(void **state)
{
	char bytes[65536] = { 0 };
	int fd = add(100), i;

	(void)state;
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	for (i = 0; i < 1000 && send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0; i++)
		lingering_look(&lingering, 1);
	assert_in_range(i, 128, 999); /* 8 MiB */
	assert_int_equal(errno, EPIPE);
	assert_int_equal(lingering.count, 0);
	close(fd);
}

static void the_oldest_makes_room(void **state)
{
	int fds[LINGERING_MAX + 1], i;

	(void)state;
	for (i = 0; i <= LINGERING_MAX; i++)
		fds[i] = add(100);
	assert_int_equal(lingering.count, LINGERING_MAX);
	assert_false(may_write(fds[0]));
	for (i = 1; i <= LINGERING_MAX; i++)
		assert_true(may_write(fds[i]));
	for (i = 0; i <= LINGERING_MAX; i++)
		close(fds[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_read_on),
		TEST(ends_with_the_other_side),
		TEST(ends_with_its_time),
		TEST(ends_with_what_nobody_is_owed),
		TEST(the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
