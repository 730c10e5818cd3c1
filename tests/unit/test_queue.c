/* edge/queue: the order, the times, and who gets what when two take at once. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "edge/queue.h"

static struct queue *new_queue(void)
{
	struct queue *queue;

	assert_int_equal(queue_new(&queue), STATUS_OK);
	return queue;
}

/* A "connection": one end goes into the queue, the other is kept to see who it is. */
static int stand(struct queue *queue, int64_t since)
{
	struct queue_entry entry = { .since = since };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	entry.fd = ends[0];
	assert_int_equal(queue_put(queue, &entry), STATUS_OK);
	assert_int_equal(fcntl(ends[0], F_GETFD), -1); /* given away */
	return ends[1];
}

/* That the entry is the other end of `mine`; closes both. */
static void must_be(struct queue_entry *entry, int64_t since, int mine)
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
	struct queue *queue = new_queue();
	struct queue_entry entry;
	int mine[3], i;

	(void)state;
	assert_int_equal(queue_since(queue), CLOCK_NEVER);
	assert_int_equal(queue_take(queue, &entry), STATUS_CLOSED);
	for (i = 0; i < 3; i++)
		mine[i] = stand(queue, 100 + i);
	for (i = 0; i < 3; i++) {
		assert_int_equal(queue_since(queue), 100 + i);
		assert_int_equal(queue_take(queue, &entry), STATUS_OK);
		must_be(&entry, 100 + i, mine[i]);
	}
	assert_int_equal(queue_take(queue, &entry), STATUS_CLOSED);
	queue_free(queue);
	queue_free(NULL);
}

static void only_the_late_are_taken(void **state)
{
	struct queue *queue = new_queue();
	struct queue_entry entry = { .fd = -7, .since = -7 };
	int first = stand(queue, 100), second = stand(queue, 200);

	(void)state;
	assert_int_equal(queue_take_late(queue, 99, &entry), STATUS_CLOSED);
	assert_int_equal(entry.fd, -7);
	assert_int_equal(queue_take_late(queue, 100, &entry), STATUS_OK);
	must_be(&entry, 100, first);
	assert_int_equal(queue_take_late(queue, 199, &entry), STATUS_CLOSED);
	assert_int_equal(queue_take_late(queue, CLOCK_NEVER, &entry), STATUS_OK);
	must_be(&entry, 200, second);
	assert_int_equal(queue_take_late(queue, CLOCK_NEVER, &entry), STATUS_CLOSED);
	queue_free(queue);
}

static void somebody_waits_is_seen_on_the_descriptors(void **state)
{
	struct queue *queue = new_queue();
	struct pollfd fds[QUEUE_LANES];
	struct queue_entry entry;
	int mine, i;

	(void)state;
	for (i = 0; i < QUEUE_LANES; i++)
		fds[i] = (struct pollfd){ .fd = queue_fd(queue, i), .events = POLLIN };
	assert_int_equal(poll(fds, QUEUE_LANES, 0), 0);
	mine = stand(queue, 1);
	assert_int_equal(poll(fds, QUEUE_LANES, 0), 1);
	assert_int_equal(queue_take(queue, &entry), STATUS_OK);
	must_be(&entry, 1, mine);
	assert_int_equal(poll(fds, QUEUE_LANES, 0), 0);
	queue_free(queue);
}

/* Full is said, the descriptor stays the caller's, and the queue is as it was. */
static void a_full_queue_takes_nobody(void **state)
{
	struct queue *queue = new_queue();
	struct queue_entry entry = { .since = 5 }, got;
	enum status status = STATUS_OK;
	int count = 0, left = 0;

	(void)state;
	while (status == STATUS_OK && count < 100000) {
		entry.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(entry.fd >= 0);
		status = queue_put(queue, &entry);
		count += status == STATUS_OK;
	}
	assert_int_equal(status, STATUS_UNAVAILABLE);
	assert_true(count > 100);
	assert_int_equal(fcntl(entry.fd, F_GETFD), FD_CLOEXEC);
	while (queue_take(queue, &got) == STATUS_OK) {
		close(got.fd);
		left++;
	}
	assert_int_equal(left, count);
	assert_int_equal(queue_put(queue, &entry), STATUS_OK);
	queue_free(queue);
}

static void who_waits_when_the_queue_ends_is_cut(void **state)
{
	struct queue *queue = new_queue();
	int mine = stand(queue, 1);
	char c;

	(void)state;
	queue_free(queue);
	assert_int_equal(read(mine, &c, 1), 0);
	close(mine);
}

/*
 * Workers take while an admission process takes the late ones: everyone is taken once, and the admission process gets
 * nobody whose time is not over, also where a worker was faster.
 */
#define CROWD 400
#define ROUNDS 40

static void take_as_worker(struct queue *queue)
{
	struct queue_entry entry;

	while (queue_take(queue, &entry) == STATUS_OK) {
		if (write(entry.fd, "w", 1) != 1)
			_exit(1);
		close(entry.fd);
	}
	_exit(0);
}

static void nobody_is_refused_early(void **state)
{
	int mine[CROWD], round, i, result;
	struct queue_entry entry;
	struct queue *queue;
	pid_t worker;
	char c;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		queue = new_queue();
		for (i = 0; i < CROWD; i++)
			mine[i] = stand(queue, i);
		worker = fork();
		if (worker == 0)
			take_as_worker(queue);
		for (i = 0; queue_since(queue) != CLOCK_NEVER; i++)
			if (queue_take_late(queue, i / 2, &entry) == STATUS_OK) {
				assert_true(entry.since <= i / 2);
				assert_int_equal(write(entry.fd, "d", 1), 1);
				close(entry.fd);
			}
		assert_int_equal(waitpid(worker, &result, 0), worker);
		assert_int_equal(result, 0);
		/* The worker may have ended while one was on its way back into the queue. */
		while (queue_take(queue, &entry) == STATUS_OK) {
			assert_int_equal(write(entry.fd, "w", 1), 1);
			close(entry.fd);
		}
		for (i = 0; i < CROWD; i++) {
			assert_int_equal(read(mine[i], &c, 1), 1);
			assert_int_equal(read(mine[i], &c, 1), 0);
			close(mine[i]);
		}
		queue_free(queue);
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

static void those_who_wait_can_be_counted(void **state)
{
	struct queue *queue = new_queue();
	struct queue_entry entry;
	int mine[3], i;

	(void)state;
	assert_int_equal(queue_count(queue), 0);
	for (i = 0; i < 3; i++)
		mine[i] = stand(queue, i + 1);
	assert_int_equal(queue_count(queue), 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(queue_take(queue, &entry), STATUS_OK);
		assert_int_equal(queue_count(queue), 2 - i);
		must_be(&entry, i + 1, mine[i]);
	}
	queue_free(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_who_wait_can_be_counted),
		cmocka_unit_test(first_come_first_served),
		cmocka_unit_test(only_the_late_are_taken),
		cmocka_unit_test(somebody_waits_is_seen_on_the_descriptors),
		cmocka_unit_test(a_full_queue_takes_nobody),
		cmocka_unit_test(who_waits_when_the_queue_ends_is_cut),
		cmocka_unit_test(nobody_is_refused_early),
	};

	allow_descriptors();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
