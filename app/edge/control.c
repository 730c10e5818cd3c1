/* Both ends of the master's control socket.  Rests on Linux's abstract names and SO_PEERCRED. */
#include "edge/control.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define BACKLOG 16
#define WORD_MS 1000

/* The name behind a NUL byte is in no folder: its length says where it ends. */
static socklen_t place_of(enum control_place place, pid_t pid, struct sockaddr_un *at)
{
	static const char *const names[] = { "control", "show" };
	int n;

	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(at->sun_path + 1, sizeof(at->sun_path) - 1, "banter-%s-%d", names[place],
		     (int)pid);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

enum status control_listen(enum control_place place, int *fd)
{
	struct sockaddr_un at;
	socklen_t size = place_of(place, getpid(), &at);
	int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (made >= 0 && bind(made, (struct sockaddr *)&at, size) == 0 &&
	    listen(made, BACKLOG) == 0) {
		*fd = made;
		return STATUS_OK;
	}
	log_warn("%s: %s",
		 place == CONTROL_RELOAD ? "nobody can ask for a reload but by SIGHUP"
					 : "banterctl status and metrics cannot ask here",
		 strerror(errno));
	if (made >= 0)
		close(made);
	return STATUS_FAILED;
}

static bool peer_of(int fd, struct ucred *peer)
{
	socklen_t size = sizeof(*peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size) == 0;
}

int control_accept(int listen_fd)
{
	struct ucred peer;
	int fd;

	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		if (peer_of(fd, &peer) && (peer.uid == 0 || peer.uid == geteuid()))
			return fd;
		close(fd);
	}
	return -1;
}

void control_answer(int fd, enum control_end end, const char *text)
{
	char line[4096];
	int n = snprintf(line, sizeof(line), "%d%s", (int)end, text);
	size_t size = (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;

	/* It fits into an empty socket; who has left has left. */
	if (send(fd, line, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("who asked for a reload has left");
	shutdown(fd, SHUT_RDWR); /* a child may have it too */
	close(fd);
}

/* A master that is stuck accepts nobody: we wait for a place there no longer than for its answer. */
static int reach(enum control_place place, pid_t pid, int64_t deadline, enum status *status)
{
	int64_t left = deadline - clock_ms();
	struct timeval patience = { .tv_sec = left / 1000, .tv_usec = 1 + left % 1000 * 1000 };
	struct sockaddr_un at;
	socklen_t size = place_of(place, pid, &at);
	struct ucred peer;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*status = STATUS_FAILED;
	if (fd < 0)
		return -1;
	if (left <= 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (struct sockaddr *)&at, size))
		*status = left <= 0 || errno == EAGAIN ? STATUS_TIMEOUT : STATUS_UNAVAILABLE;
	/* Anybody may have taken that name. */
	else if (!peer_of(fd, &peer) || peer.pid != pid)
		*status = STATUS_UNAVAILABLE;
	else
		return fd;
	close(fd);
	return -1;
}

/* All that comes until the other end closes. */
static enum status read_all(int fd, int64_t deadline, struct buf *out)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	ssize_t n = -1;
	int64_t left;
	char *room;

	do {
		left = deadline - clock_ms();
		if (left <= 0 || poll(&in, 1, (int)left) == 0)
			return STATUS_TIMEOUT;
		room = buf_room(out, 1024);
		if (!room)
			return STATUS_NOMEM;
		n = read(fd, room, 1024);
		if (n > 0)
			buf_grew(out, (size_t)n);
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	return n == 0 ? STATUS_OK : STATUS_CLOSED;
}

enum status control_ask(pid_t pid, int64_t deadline, enum control_end *end, struct buf *text)
{
	enum status status;
	struct buf answer;
	int fd = reach(CONTROL_RELOAD, pid, deadline, &status);

	if (fd < 0)
		return status;
	buf_init(&answer, 8192);
	status = read_all(fd, deadline, &answer);
	if (status == STATUS_OK && !answer.len)
		status = STATUS_CLOSED;
	if (status == STATUS_OK) {
		*end = (enum control_end)(answer.data[0] - '0');
		buf_str(text, str_skip(buf_view(&answer), 1));
		status = buf_check(text);
	}
	buf_clear(&answer);
	close(fd);
	return status;
}

bool control_word(int fd, char *word, size_t size)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	ssize_t n = poll(&in, 1, WORD_MS) == 1 ? read(fd, word, size - 1) : -1;

	if (n <= 0)
		return false;
	word[n] = '\0';
	return true;
}

enum status control_show(pid_t pid, const char *word, int64_t deadline, struct buf *text)
{
	enum status status;
	int fd = reach(CONTROL_SHOW, pid, deadline, &status);

	if (fd < 0)
		return status;
	status = STATUS_CLOSED;
	if (send(fd, word, strlen(word), MSG_NOSIGNAL) > 0)
		status = read_all(fd, deadline, text);
	if (status == STATUS_OK && !text->len)
		status = STATUS_CLOSED;
	close(fd);
	return status == STATUS_OK ? buf_check(text) : status;
}

/* The names of all unix sockets are in this file; of abstract ones behind an @. */
size_t control_all(pid_t *pids, size_t size)
{
	FILE *file = fopen("/proc/net/unix", "re");
	size_t count = 0, i;
	char line[512];
	char *at;
	int one;

	while (file && count < size && fgets(line, sizeof(line), file)) {
		at = strstr(line, " @banter-show-");
		if (!at || sscanf(at, " @banter-show-%d", &one) != 1)
			continue;
		for (i = 0; i < count && pids[i] != one; i++)
			; /* those that it talks to have its name too */
		if (i == count)
			pids[count++] = one;
	}
	if (file)
		fclose(file);
	return count;
}

enum status control_find(const char *address, pid_t *pid)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	enum status status = STATUS_UNAVAILABLE;
	struct ucred peer;
	int fd;

	if (strncmp(address, "unix:", 5) != 0 || strlen(address + 5) >= sizeof(at.sun_path))
		return STATUS_INVALID;
	strcpy(at.sun_path, address + 5);
	/* Where its backlog is full we would wait with it. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return STATUS_UNAVAILABLE;
	/* Of a listening socket that is who called listen(2). */
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && peer_of(fd, &peer)) {
		*pid = peer.pid;
		status = STATUS_OK;
	}
	close(fd);
	return status;
}
