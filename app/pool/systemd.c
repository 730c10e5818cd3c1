/* A few lines of systemd's protocol.  Rests on the environment and on one datagram socket. */
#include "pool/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "pool/listener.h"

#define FIRST_FD 3   /* where handed descriptors begin */
#define PATIENCE_S 1 /* with a manager that lives and does not read */

/* A whole number of the environment; -1: none is there. */
static int64_t number(const char *name)
{
	int64_t value = -1;

	return str_number(str_from(getenv(name)), 10, &value) ? value : -1;
}

enum status systemd_socket(int *fd)
{
	int64_t pid = number("LISTEN_PID"), count = number("LISTEN_FDS");

	*fd = -1;
	/* The words are for the process they name, not for one that inherits them. */
	if (pid != getpid() || count <= 0)
		return STATUS_OK;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (count != 1 || !listener_is(FIRST_FD)) {
		log_error("the service manager must hand over one listening stream socket");
		return STATUS_FAILED;
	}
	if (fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) < 0) {
		log_error("the handed socket cannot be used: %s", strerror(errno));
		return STATUS_FAILED;
	}
	*fd = FIRST_FD;
	return STATUS_OK;
}

/* Nobody there to listen is no fault of ours. */
static void say(const char *words)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	int fd;

	if (n < 2 || n >= sizeof(at.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(at.sun_path, path, n);
	if (*path == '@')
		at.sun_path[0] = '\0'; /* an abstract name */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    sendto(fd, words, strlen(words), MSG_NOSIGNAL, (struct sockaddr *)&at, size) < 0)
		log_warn("the service manager was not told %s: %s", words, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void systemd_ready(void)
{
	say("READY=1");
}

void systemd_reloading(void)
{
	struct timespec now;
	char words[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(words, sizeof(words), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		 (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	say(words);
}

void systemd_stopping(void)
{
	say("STOPPING=1");
}

void systemd_main(pid_t pid)
{
	char words[64];

	snprintf(words, sizeof(words), "READY=1\nMAINPID=%d", (int)pid);
	say(words);
	unsetenv("NOTIFY_SOCKET");
}

void systemd_status(const char *line)
{
	char words[160];

	snprintf(words, sizeof(words), "STATUS=%s", line);
	say(words);
}

int64_t systemd_watchdog(void)
{
	int64_t pid = number("WATCHDOG_PID"), us = number("WATCHDOG_USEC");

	if (us <= 0 || (pid >= 0 && pid != getpid()))
		return CLOCK_NEVER;
	return us < 2000 ? 1 : us / 2000; /* half of it, as sd_watchdog_enabled(3) says */
}

void systemd_alive(void)
{
	say("WATCHDOG=1");
}
