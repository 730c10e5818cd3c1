/*
 * The new master's end of an upgrade.  Rests on what the environment says of the descriptors, and on
 * pidfd_open(2).
 */
#include "pool/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "base/log.h"
#include "pool/signals.h"

#define NAME "BANTER_HANDOVER"
#define FORM 1 /* of the text, of the words and of what lies in the queue */
/* What is there for longer does not look like a setting, or it would be named as a wrong one. */
#define LISTEN "HANDOVER_LISTEN"
#define STATUS_LISTEN "HANDOVER_STATUS_LISTEN"
#define MANAGER "NOTIFY_SOCKET"
#define MANAGER_LATER "HANDOVER_NOTIFY_SOCKET"

static int set_inherited(int fd, bool inherited)
{
	return fd < 0 ? 0 : fcntl(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC);
}

static int set_all_inherited(const struct handover *handover, bool inherited)
{
	const int fds[] = { handover->fd,	handover->web_fd,   handover->status_fd,
			    handover->queue[0], handover->queue[1], handover->queue[2],
			    handover->queue[3], handover->error_fd };
	int failed = 0;
	size_t i;

	for (i = 0; i < COUNT(fds); i++)
		failed |= set_inherited(fds[i], inherited);
	return failed;
}

enum status handover_give(const struct handover *handover)
{
	const char *manager = getenv(MANAGER);
	const int *queue = handover->queue;
	char text[128];

	if (set_all_inherited(handover, true))
		return STATUS_FAILED;
	snprintf(text, sizeof(text), "%d %d %d %d %d %d %d %d %d %d", FORM, handover->fd,
		 handover->web_fd, handover->status_fd, handover->kept, queue[0], queue[1],
		 queue[2], queue[3], handover->error_fd);
	unsetenv("WATCHDOG_PID"); /* it names us */
	if ((manager && setenv(MANAGER_LATER, manager, 1)) || unsetenv(MANAGER) ||
	    setenv(LISTEN, handover->listen, 1) ||
	    setenv(STATUS_LISTEN, handover->status_listen, 1) || setenv(NAME, text, 1))
		return STATUS_NOMEM;
	return STATUS_OK;
}

/* Of who made the socket. It cannot have ended yet, unless it was killed: then we are alone soon. */
static int open_before(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ? -1 : pidfd_open(peer.pid, 0);
}

enum status handover_take(struct handover *handover)
{
	const char *text = getenv(NAME);
	struct handover given;
	int form, kept, count, *queue = given.queue;

	*handover = HANDOVER_NONE;
	if (!text)
		return STATUS_OK;
	count = sscanf(text, "%d %d %d %d %d %d %d %d %d %d", &form, &given.fd, &given.web_fd,
		       &given.status_fd, &kept, &queue[0], &queue[1], &queue[2], &queue[3],
		       &given.error_fd);
	unsetenv(NAME);
	if (count != 10 || form != FORM) {
		log_error("this program cannot take over from the one that runs: restart it");
		return STATUS_FAILED;
	}
	given.kept = kept != 0;
	if (set_all_inherited(&given, false)) {
		log_error("what the running program handed over cannot be used: %s",
			  strerror(errno));
		return STATUS_FAILED;
	}
	given.before = open_before(given.fd);
	*handover = given;
	return STATUS_OK;
}

static enum status keep(struct config *config, const char *name, const char *now, const char *given)
{
	enum status status = STATUS_OK;
	struct buf why;

	buf_init(&why, 256);
	if (given && strcmp(now, given) != 0) {
		log_warn("changed, but a restart is needed to change it: %s", name);
		status = config_set(config, str_from(name), str_from(given), &why);
	}
	buf_clear(&why);
	return status;
}

enum status handover_keep(const struct handover *handover, struct config *config)
{
	enum status status = STATUS_OK;

	/* Where a service manager listens is its own setting. */
	if (handover->web_fd >= 0 && !handover->kept)
		status = keep(config, "BANTER_LISTEN", config->listen, getenv(LISTEN));
	/* One that was not there is opened now. */
	if (status == STATUS_OK && handover->status_fd >= 0)
		status = keep(config, "BANTER_STATUS_LISTEN", config->status_listen,
			      getenv(STATUS_LISTEN));
	unsetenv(LISTEN);
	unsetenv(STATUS_LISTEN);
	return status;
}

static void say(const struct handover *handover, char word)
{
	if (send(handover->fd, &word, 1, MSG_NOSIGNAL) < 0)
		log_warn("the master before this one does not listen");
}

void handover_started(struct handover *handover)
{
	if (handover->error_fd < 0)
		return;
	dup2(handover->error_fd, STDERR_FILENO);
	close(handover->error_fd);
	handover->error_fd = -1;
	fcntl(handover->fd, F_SETFL, O_NONBLOCK);
}

void handover_ready(struct handover *handover)
{
	if (handover->fd >= 0)
		say(handover, HANDOVER_SAYS_READY);
}

enum handover_word handover_look(struct handover *handover)
{
	const char *manager = getenv(MANAGER_LATER);
	char word;
	ssize_t n;

	if (handover->fd < 0)
		return HANDOVER_NOTHING;
	n = recv(handover->fd, &word, 1, 0);
	if (n > 0 && word == HANDOVER_SAYS_GO)
		return HANDOVER_GO;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return HANDOVER_NOTHING;
	close(handover->fd);
	handover->fd = -1;
	if (manager && setenv(MANAGER, manager, 1))
		log_warn("no memory for the service manager's socket");
	unsetenv(MANAGER_LATER);
	return HANDOVER_ALONE;
}

void handover_taken(struct handover *handover)
{
	say(handover, HANDOVER_SAYS_TAKEN);
}

void handover_tell(const struct handover *handover, enum wait_stop stop)
{
	if (handover->before >= 0 &&
	    pidfd_send_signal(handover->before, signals_number(stop), NULL, 0))
		log_debug("the master before this one has ended");
}

bool handover_stands(struct handover *handover)
{
	struct pollfd end = { .fd = handover->before, .events = POLLIN };

	if (handover->before < 0)
		return false;
	if (poll(&end, 1, 0) == 0)
		return true;
	close(handover->before);
	handover->before = -1;
	return false;
}
