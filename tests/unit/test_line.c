/* edge/line: the order, the times, and who gets what when two take at once. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "edge/line.h"

static struct line *new_line(void)
{
	struct line *line;

	assert_int_equal(line_new(&line), STATUS_OK);
	return line;
}

/* A "connection": one end goes into the line, the other is kept to see who it is. */
static int stand(struct line *line, int64_t since)
{
	struct line_entry entry = { .since = since };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	entry.fd = ends[0];
	assert_int_equal(line_put(line, &entry), STATUS_OK);
	assert_int_equal(fcntl(ends[0], F_GETFD), -1); /* given away */
	return ends[1];
}

/* That the entry is the other end of `mine`; closes both. */
static void must_be(struct line_entry *entry, int64_t since, int mine)
{
	char c = 0;

	assert_int_equal(entry->since, since);
	assert_int_equal(write(mine, "x", 1), 1);
	assert_int_equal(read(entry->fd, &c, 1), 1);
	assert_int_equal(fcntl(entry->fd, F_GETFD), FD_CLOEXEC);
	close(entry->fd);
	close(mine);
}

static void first_come_first_served(void **state)
{
	struct line *line = new_line();
	struct line_entry entry;
	int mine[3], i;

	(void)state;
	assert_int_equal(line_since(line), CLOCK_NEVER);
	assert_int_equal(line_take(line, &entry), STATUS_CLOSED);
	for (i = 0; i < 3; i++)
		mine[i] = stand(line, 100 + i);
	for (i = 0; i < 3; i++) {
		assert_int_equal(line_since(line), 100 + i);
		assert_int_equal(line_take(line, &entry), STATUS_OK);
		must_be(&entry, 100 + i, mine[i]);
	}
	assert_int_equal(line_take(line, &entry), STATUS_CLOSED);
	line_free(line);
	line_free(NULL);
}

static void only_the_late_are_taken(void **state)
{
	struct line *line = new_line();
	struct line_entry entry = { .fd = -7, .since = -7 };
	int first = stand(line, 100), second = stand(line, 200);

	(void)state;
	assert_int_equal(line_take_late(line, 99, &entry), STATUS_CLOSED);
	assert_int_equal(entry.fd, -7);
	assert_int_equal(line_take_late(line, 100, &entry), STATUS_OK);
	must_be(&entry, 100, first);
	assert_int_equal(line_take_late(line, 199, &entry), STATUS_CLOSED);
	assert_int_equal(line_take_late(line, CLOCK_NEVER, &entry), STATUS_OK);
	must_be(&entry, 200, second);
	assert_int_equal(line_take_late(line, CLOCK_NEVER, &entry), STATUS_CLOSED);
	line_free(line);
}

static void somebody_waits_is_seen_on_the_descriptors(void **state)
{
	struct line *line = new_line();
	struct pollfd fds[LINE_LANES];
	struct line_entry entry;
	int mine, i;

	(void)state;
	for (i = 0; i < LINE_LANES; i++)
		fds[i] = (struct pollfd){ .fd = line_fd(line, i), .events = POLLIN };
	assert_int_equal(poll(fds, LINE_LANES, 0), 0);
	mine = stand(line, 1);
	assert_int_equal(poll(fds, LINE_LANES, 0), 1);
	assert_int_equal(line_take(line, &entry), STATUS_OK);
	must_be(&entry, 1, mine);
	assert_int_equal(poll(fds, LINE_LANES, 0), 0);
	line_free(line);
}

/* Full is said, the descriptor stays the caller's, and the line is as it was. */
static void a_full_line_takes_nobody(void **state)
{
	struct line *line = new_line();
	struct line_entry entry = { .since = 5 }, got;
	enum status status = STATUS_OK;
	int count = 0, left = 0;

	(void)state;
	while (status == STATUS_OK && count < 100000) {
		entry.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(entry.fd >= 0);
		status = line_put(line, &entry);
		count += status == STATUS_OK;
	}
	assert_int_equal(status, STATUS_UNAVAILABLE);
	assert_true(count > 100);
	assert_int_equal(fcntl(entry.fd, F_GETFD), FD_CLOEXEC);
	while (line_take(line, &got) == STATUS_OK) {
		close(got.fd);
		left++;
	}
	assert_int_equal(left, count);
	assert_int_equal(line_put(line, &entry), STATUS_OK);
	line_free(line);
}

static void who_waits_when_the_line_ends_is_cut(void **state)
{
	struct line *line = new_line();
	int mine = stand(line, 1);
	char c;

	(void)state;
	line_free(line);
	assert_int_equal(read(mine, &c, 1), 0);
	close(mine);
}

/*
 * Workers take while a doorman takes the late ones: everyone is taken once, and the doorman gets
 * nobody whose time is not over, also where a worker was faster.
 */
#define CROWD 400
#define ROUNDS 40

static void take_as_worker(struct line *line)
{
	struct line_entry entry;

	while (line_take(line, &entry) == STATUS_OK) {
		if (write(entry.fd, "w", 1) != 1)
			_exit(1);
		close(entry.fd);
	}
	_exit(0);
}

static void nobody_is_refused_early(void **state)
{
	int mine[CROWD], round, i, result;
	struct line_entry entry;
	struct line *line;
	pid_t worker;
	char c;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		line = new_line();
		for (i = 0; i < CROWD; i++)
			mine[i] = stand(line, i);
		worker = fork();
		if (worker == 0)
			take_as_worker(line);
		for (i = 0; line_since(line) != CLOCK_NEVER; i++)
			if (line_take_late(line, i / 2, &entry) == STATUS_OK) {
				assert_true(entry.since <= i / 2);
				assert_int_equal(write(entry.fd, "d", 1), 1);
				close(entry.fd);
			}
		assert_int_equal(waitpid(worker, &result, 0), worker);
		assert_int_equal(result, 0);
		/* The worker may have ended while one was on its way back into the line. */
		while (line_take(line, &entry) == STATUS_OK) {
			assert_int_equal(write(entry.fd, "w", 1), 1);
			close(entry.fd);
		}
		for (i = 0; i < CROWD; i++) {
			assert_int_equal(read(mine[i], &c, 1), 1);
			assert_int_equal(read(mine[i], &c, 1), 0);
			close(mine[i]);
		}
		line_free(line);
	}
}

/* A crowd takes more descriptors than some are allowed at first. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_come_first_served),
		cmocka_unit_test(only_the_late_are_taken),
		cmocka_unit_test(somebody_waits_is_seen_on_the_descriptors),
		cmocka_unit_test(a_full_line_takes_nobody),
		cmocka_unit_test(who_waits_when_the_line_ends_is_cut),
		cmocka_unit_test(nobody_is_refused_early),
	};

	allow_descriptors();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
