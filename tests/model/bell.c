/*
 * Waiting on eventfds and sockets, in one ppoll.
 */
#include "bell.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

int64_t moment_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* A wake of -1 is never readable: poll skips negative descriptors. */
static enum status poll_until(int stop, int wake, int client, int64_t due)
{
	struct pollfd fds[] = {
		{ .fd = stop, .events = POLLIN },
		{ .fd = client, .events = POLLRDHUP },
		{ .fd = wake, .events = POLLIN },
	};

	for (;;) {
		struct timespec left, *timeout = NULL;

		if (due != MOMENT_NEVER) {
			int64_t rest = due - moment_now();

			if (rest < 0)
				rest = 0;
			left = (struct timespec){ .tv_sec = rest / SECOND,
						  .tv_nsec = rest % SECOND };
			timeout = &left;
		}
		if (ppoll(fds, 3, timeout, NULL) < 0) {
			if (errno == EINTR)
				continue;
			return STATUS_STOPPED;
		}
		if (fds[0].revents != 0)
			return STATUS_STOPPED;
		if (fds[1].revents != 0)
			return STATUS_LEFT;
		if (fds[2].revents != 0)
			return STATUS_OK;
		if (due != MOMENT_NEVER && moment_now() >= due)
			return STATUS_TIMEOUT;
	}
}

enum status wait_until(int stop, int client, int64_t due)
{
	enum status status;

	if (due <= moment_now())
		return STATUS_OK;
	status = poll_until(stop, -1, client, due);
	return status == STATUS_TIMEOUT ? STATUS_OK : status;
}

void bell_init(struct bell *bell, int stop)
{
	*bell = (struct bell){ .stop = stop };
	pthread_mutex_init(&bell->lock, NULL);
}

void bell_clear(struct bell *bell)
{
	pthread_mutex_destroy(&bell->lock);
}

void bell_lock(struct bell *bell)
{
	pthread_mutex_lock(&bell->lock);
}

void bell_unlock(struct bell *bell)
{
	pthread_mutex_unlock(&bell->lock);
}

void bell_ring(struct bell *bell)
{
	for (struct listener *l = bell->listeners; l != NULL; l = l->next)
		(void)eventfd_write(l->fd, 1);
}

enum status bell_listen(struct bell *bell, struct listener *listener)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return STATUS_NO_MEMORY;
	*listener =
		(struct listener){ .fd = fd, .next = bell->listeners, .link = &bell->listeners };
	if (bell->listeners != NULL)
		bell->listeners->link = &listener->next;
	bell->listeners = listener;
	return STATUS_OK;
}

void bell_ignore(struct listener *listener)
{
	*listener->link = listener->next;
	if (listener->next != NULL)
		listener->next->link = listener->link;
	close(listener->fd);
}

enum status bell_wait(struct bell *bell, struct listener *listener, int client, int64_t due)
{
	enum status status;
	eventfd_t rings;

	bell_unlock(bell);
	status = poll_until(bell->stop, listener->fd, client, due);
	if (status == STATUS_OK)
		(void)eventfd_read(listener->fd, &rings);
	bell_lock(bell);
	return status;
}
