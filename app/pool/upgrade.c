/* The old master's end of an upgrade.  Rests on fork(2), execv(2) and a socket pair. */
#include "pool/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "pool/handover.h"

#define START_MS 50000 /* until all its workers are up; who asks (ctl/reload) waits for longer */

void upgrade_init(struct upgrade *upgrade, char **argv)
{
	char self[sizeof(upgrade->program)] = "", folder[sizeof(upgrade->program) / 2];
	struct stat named;

	*upgrade = (struct upgrade){ .argv = argv, .fd = -1 };
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    stat("/proc/self/exe", &upgrade->file))
		return;
	/* As it was called, if it was by a path: a link may lead to another file by then. */
	if (strchr(argv[0], '/') && stat(argv[0], &named) == 0 &&
	    named.st_ino == upgrade->file.st_ino && named.st_dev == upgrade->file.st_dev &&
	    getcwd(folder, sizeof(folder)) && strlen(argv[0]) < sizeof(folder) - 1)
		snprintf(upgrade->program, sizeof(upgrade->program), "%s%s%s",
			 *argv[0] == '/' ? "" : folder, *argv[0] == '/' ? "" : "/", argv[0]);
	else
		strcpy(upgrade->program, self);
}

bool upgrade_due(const struct upgrade *upgrade)
{
	const struct stat *was = &upgrade->file;
	struct stat is;

	if (upgrade->fd >= 0)
		return true;
	/* One that is missing may just be being replaced: settings can be loaded without it. */
	return *upgrade->program && stat(upgrade->program, &is) == 0 &&
	       (is.st_ino != was->st_ino || is.st_dev != was->st_dev ||
		is.st_size != was->st_size || is.st_mtim.tv_sec != was->st_mtim.tv_sec ||
		is.st_mtim.tv_nsec != was->st_mtim.tv_nsec);
}

static enum status refuse(struct upgrade *upgrade, const char *what, const char *why)
{
	snprintf(upgrade->said, sizeof(upgrade->said), "%s%s", what, why);
	return STATUS_FAILED;
}

/* In a process of its own: what is there to inherit, then the new program. */
static void become(const struct upgrade *upgrade, const struct settings *settings,
		   const struct upgrade_goods *goods, int fd)
{
	struct handover handover = {
		.fd = dup(fd),
		.web_fd = goods->web_fd,
		.status_fd = goods->status_fd,
		.listen = goods->listen,
		.status_listen = goods->status_listen,
		.kept = goods->kept,
		.error_fd = dup(STDERR_FILENO),
	};
	sigset_t none;

	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); /* libcurl's are not */
	queue_ends(goods->queue, handover.queue);
	dup2(fd, STDERR_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (handover_give(&handover) == STATUS_OK && settings_export(settings) == STATUS_OK)
		execv(upgrade->program, upgrade->argv);
	fprintf(stderr, "%s cannot be started: %s\n", upgrade->program, strerror(errno));
	_exit(1);
}

/*
 * Makes that process; whose parent is gone is the service manager's child, which then hears of its
 * end. -1: errno says why.
 */
static pid_t make(const struct upgrade *upgrade, const struct settings *settings,
		  const struct upgrade_goods *goods, int fd)
{
	pid_t pid = -1, between;
	int tell[2];

	if (pipe2(tell, O_CLOEXEC))
		return -1;
	between = fork();
	if (between == 0) {
		pid = fork();
		if (pid == 0)
			become(upgrade, settings, goods, fd);
		_exit(write(tell[1], &pid, sizeof(pid)) == sizeof(pid) ? 0 : 1);
	}
	close(tell[1]);
	if (between > 0 && read(tell[0], &pid, sizeof(pid)) != sizeof(pid))
		pid = -1;
	close(tell[0]);
	return pid;
}

enum status upgrade_start(struct upgrade *upgrade, const struct settings *settings,
			  const struct upgrade_goods *goods, int64_t now)
{
	int ends[2];
	pid_t pid;

	upgrade->n = 0;
	upgrade->asked = false;
	upgrade->said[0] = '\0';
	if (getpid() == 1)
		return refuse(upgrade, "", "process 1 cannot be replaced: start it anew");
	if (!*upgrade->program)
		return refuse(upgrade, "", "the program's file is not known");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return refuse(upgrade, "no socket: ", strerror(errno));
	pid = make(upgrade, settings, goods, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return refuse(upgrade, "no process: ", strerror(errno));
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	upgrade->fd = ends[0];
	upgrade->pid = pid;
	upgrade->until = now + START_MS;
	log_info("%s is started as process %d, to take over", upgrade->program, (int)pid);
	return STATUS_OK;
}

/* What it says is said on, as if it came from itself; its last line is kept. */
static void hear(struct upgrade *upgrade, const char *text, size_t n)
{
	size_t i;

	if (write(STDERR_FILENO, text, n) < 0)
		log_debug("standard error takes nothing");
	for (i = 0; i < n; i++) {
		if (text[i] == '\n') {
			upgrade->n = 0;
			continue;
		}
		if (upgrade->n == sizeof(upgrade->said) - 1)
			continue;
		upgrade->said[upgrade->n++] = text[i];
		upgrade->said[upgrade->n] = '\0';
	}
}

static enum upgrade_state end(struct upgrade *upgrade, enum upgrade_state state)
{
	shutdown(upgrade->fd, SHUT_RDWR); /* a worker may have it too */
	close(upgrade->fd);
	upgrade->fd = -1;
	if (state == UPGRADE_FAILED && !*upgrade->said)
		refuse(upgrade, "", "it ended without a word");
	return state;
}

enum upgrade_state upgrade_look(struct upgrade *upgrade, int64_t now)
{
	const char go = HANDOVER_SAYS_GO;
	char some[1024];
	ssize_t n;
	size_t text;

	if (upgrade->fd < 0)
		return UPGRADE_NONE;
	while ((n = recv(upgrade->fd, some, sizeof(some), 0)) > 0) {
		for (text = 0; text < (size_t)n && some[text] != HANDOVER_SAYS_READY &&
			       some[text] != HANDOVER_SAYS_TAKEN;
		     text++)
			;
		hear(upgrade, some, text);
		if (text == (size_t)n)
			continue;
		if (upgrade->cancelled)
			continue;
		if (some[text] == HANDOVER_SAYS_TAKEN && upgrade->asked)
			return UPGRADE_DONE;
		upgrade->asked = some[text] == HANDOVER_SAYS_READY;
		if (upgrade->asked && send(upgrade->fd, &go, 1, MSG_NOSIGNAL) < 0)
			break;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return end(upgrade, UPGRADE_FAILED);
	if (now < upgrade->until)
		return UPGRADE_STARTING;
	kill(upgrade->pid, SIGKILL); /* its workers drain */
	refuse(upgrade, "", "its workers are not up in time");
	return end(upgrade, UPGRADE_FAILED);
}

void upgrade_done(struct upgrade *upgrade)
{
	end(upgrade, UPGRADE_DONE);
}

void upgrade_cancel(struct upgrade *upgrade, int64_t until)
{
	if (upgrade->fd < 0)
		return;
	kill(upgrade->pid, SIGTERM);
	upgrade->cancelled = true;
	upgrade->until = until;
	if (upgrade->asked) /* it has taken over, or does so now: it waits for us */
		upgrade_done(upgrade);
}
