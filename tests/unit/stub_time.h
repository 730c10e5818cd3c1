/*
 * base/clock and base/wait for tests of what rests on them: time passes only when a stub lets it,
 * and a wait ends at once, at its deadline.
 */
#ifndef STUB_TIME_H
#define STUB_TIME_H

#include "stub_journal.h"

#include "base/clock.h"
#include "base/wait.h"

#define STUB_TIME_START 1000000

static struct {
	int64_t now;
} stub_time = { STUB_TIME_START };

int64_t clock_ms(void)
{
	return stub_time.now;
}

int64_t clock_us(void)
{
	return stub_time.now * 1000;
}

int64_t clock_wall_ms(void)
{
	return 1700000000000 + stub_time.now;
}

void clock_stamp(char out[CLOCK_STAMP_SIZE])
{
	snprintf(out, CLOCK_STAMP_SIZE, "stamp");
}

void wait_init(struct wait *wait)
{
	*wait = (struct wait){ .stop_at = CLOCK_NEVER, .beat_at = CLOCK_NEVER, .client = -1 };
}

void wait_watch(struct wait *wait, int slot, int fd, short events)
{
	wait->fds[slot] = (struct pollfd){ .fd = fd, .events = events };
}

void wait_client(struct wait *wait, int slot, int fd)
{
	wait->client = slot;
	wait->client_left = false;
	wait->undisturbed = false;
	wait_watch(wait, slot, fd, POLLRDHUP);
}

void wait_undisturbed(struct wait *wait, bool on)
{
	wait->undisturbed = on;
}

bool wait_client_left(struct wait *wait)
{
	return wait->client_left;
}

enum status wait_some(struct wait *wait, int64_t deadline)
{
	note("wait%s ", wait->undisturbed ? "" : "(disturbed)");
	assert_true(deadline < CLOCK_NEVER);
	if (deadline > stub_time.now)
		stub_time.now = deadline;
	return STATUS_TIMEOUT;
}

enum status wait_epoll(struct wait *wait, int epoll, int64_t deadline)
{
	(void)epoll;
	return wait_some(wait, deadline);
}

#endif
