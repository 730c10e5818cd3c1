/* The telling.  Rests on fork(2); the processes are none of the pool's children, and are reaped with them. */
#include "pool/teller.h"

#include <signal.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "base/log.h"
#include "edge/control.h"
#include "pool/report.h"

#define TEXT_CAP (32 << 20)
#define SECONDS 5 /* for one who does not read what is told */

static const char *const words[] = {
	[HTTP_METRICS] = "metrics",
	[HTTP_OPENMETRICS] = "openmetrics",
	[HTTP_STATUS] = "status",
};

static void tell(const struct children *children, int fd)
{
	char word[32];
	struct buf text;
	size_t i, at;
	ssize_t n = 1;

	if (!control_word(fd, word, sizeof(word)))
		return;
	buf_init(&text, TEXT_CAP);
	for (i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], word) == 0)
			report_show(children, (enum http_shown)i, &text);
	if (strcmp(word, "listen") == 0)
		buf_puts(&text, children->config->listen);
	/* What is not whole is not told. */
	for (at = 0; buf_check(&text) == STATUS_OK && at < text.len && n > 0; at += (size_t)n)
		n = send(fd, text.data + at, text.len - at, MSG_NOSIGNAL);
	buf_clear(&text);
}

noreturn static void be_teller(const struct children *children, int fd)
{
	prctl(PR_SET_NAME, "banter-teller");
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it has the master's sockets: nobody serves them then */
	alarm(SECONDS);
	tell(children, fd);
	_exit(0); /* what else there is, is the master's */
}

void teller_answer(const struct children *children, int listen_fd)
{
	pid_t pid;
	int fd;

	while (listen_fd >= 0 && (fd = control_accept(listen_fd)) >= 0) {
		pid = fork();
		if (pid == 0)
			be_teller(children, fd);
		if (pid < 0)
			log_warn("who asked what the pool does is not told: no process");
		close(fd);
	}
}
