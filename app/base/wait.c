/* One deadline over all descriptors of an exchange.  Not for the master's children: see pool/. */
#include "base/wait.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/hot.h"

#define EPOLL_MOST 4 /* the listening socket, and the lanes of the queue */

void wait_init(struct wait *wait)
{
	static const int let_through[] = { SIGTERM, SIGINT,  SIGQUIT, SIGHUP,
					   SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM };
	int number;
	size_t i;

	*wait = (struct wait){ .stop_at = CLOCK_NEVER, .beat_at = CLOCK_NEVER, .client = -1 };
	for (i = 0; i < WAIT_SLOTS; i++)
		wait->fds[i].fd = -1;
	sigprocmask(SIG_BLOCK, NULL, &wait->signals);
	for (i = 0; i < COUNT(let_through); i++)
		sigdelset(&wait->signals, let_through[i]);
	for (number = SIGRTMIN; number <= SIGRTMAX; number++)
		sigdelset(&wait->signals, number);
}

HOT void wait_watch(struct wait *wait, int slot, int fd, short events)
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

static HOT bool stop_wanted(struct wait *wait, int64_t now)
{
	if (!wait->stop || !*wait->stop)
		return false;
	if (*wait->stop == WAIT_DRAIN && wait->stop_at == CLOCK_NEVER)
		wait->stop_at = now + wait->drain_ms;
	if (*wait->stop == WAIT_NOW)
		wait->stop_at = clock_earlier(wait->stop_at, now);
	return true;
}

HOT void wait_see_stop(struct wait *wait, int64_t now)
{
	if (stop_wanted(wait, now) && wait->stopping &&
	    !atomic_exchange(&wait->stopping_told, true))
		wait->stopping(wait->stopping_context);
}

static struct timespec until(int64_t deadline, int64_t now)
{
	int64_t ms = deadline > now ? deadline - now : 0;

	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };
}

static HOT void see_client(struct wait *wait)
{
	struct pollfd *client = wait->client < 0 ? NULL : &wait->fds[wait->client];

	if (client && client->fd >= 0 && (client->revents & (POLLRDHUP | POLLHUP | POLLERR))) {
		wait->client_left = true;
		client->fd = -1; /* else every later poll would return at once */
	}
}

bool wait_client_left(struct wait *wait)
{
	if (wait->client >= 0 && poll(&wait->fds[wait->client], 1, 0) > 0)
		see_client(wait);
	return wait->client_left;
}

static HOT bool goes_on(struct wait *wait)
{
	if (!wait->left || !wait->left(wait->left_context))
		return false;
	wait->client_left = false;
	return true;
}

/* How many slots the kernel has to look at: up to the last one in use. */
static HOT nfds_t slots(const struct wait *wait)
{
	nfds_t n = WAIT_SLOTS;

	while (n && wait->fds[n - 1].fd < 0)
		n--;
	return n;
}

HOT enum status wait_some(struct wait *wait, int64_t deadline)
{
	struct timespec left, *limit;
	int64_t now, end;
	int ready;

	for (;;) {
		wait->now = now = clock_ms();
		wait_see_stop(wait, now);
		if (wait->client_left && !wait->undisturbed)
			return goes_on(wait) ? STATUS_OK : STATUS_CLOSED;
		if ((now >= wait->stop_at || running_is_to_end(wait->running)) &&
		    !wait->undisturbed)
			return STATUS_STOPPED;
		if (wait->beat && now >= wait->beat_at) {
			wait->beat(wait->beat_context);
			stage_step(wait->stage);
			continue;
		}
		if (now >= deadline)
			return STATUS_TIMEOUT;
		end = clock_earlier(deadline, wait->beat ? wait->beat_at : CLOCK_NEVER);
		if (!wait->undisturbed)
			end = clock_earlier(end, wait->stop_at);
		left = until(end, now);
		limit = end == CLOCK_NEVER ? NULL : &left;
		ready = ppoll(wait->fds, slots(wait), limit, &wait->signals);
		wait->now = clock_ms();
		if (ready < 0)
			return errno == EINTR ? STATUS_OK : STATUS_FAILED;
		stage_step(wait->stage);
		see_client(wait);
		if (ready > 0)
			return STATUS_OK;
	}
}

enum status wait_epoll(struct wait *wait, int epoll, int64_t deadline)
{
	struct epoll_event events[EPOLL_MOST];
	int64_t now;
	int ready;

	wait->ready = 0;
	for (;;) {
		now = clock_ms();
		if (stop_wanted(wait, now))
			return STATUS_STOPPED;
		if (now >= deadline)
			return STATUS_TIMEOUT;
		/* epoll_pwait takes an int of milliseconds; a day at a time is enough. */
		ready = epoll_pwait(epoll, events, EPOLL_MOST,
				    (int)clock_earlier(deadline - now, 86400000), &wait->signals);
		if (ready < 0 && errno != EINTR)
			return STATUS_FAILED;
		if (ready <= 0)
			continue;
		while (ready--)
			wait->ready |= events[ready].data.u32;
		return STATUS_OK;
	}
}
