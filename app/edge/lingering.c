/*
 * Reading on what nobody needs any more.  Not for a worker's connections: a worker reads a body to
 * its end before it answers.
 */
#include "edge/lingering.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 8192
#define READ_MAX (8 << 20)  /* of one connection: who sends more than this is not owed anything */
#define LOOK_MAX (64 << 10) /* of it at one look, which others wait for */

void lingering_init(struct lingering *lingering)
{
	lingering->count = 0;
}

static void close_first(struct lingering *lingering, int n)
{
	int i;

	for (i = 0; i < n; i++)
		close(lingering->open[i].fd);
	lingering->count -= n;
	memmove(lingering->open, lingering->open + n,
		(size_t)lingering->count * sizeof(*lingering->open));
}

void lingering_clear(struct lingering *lingering)
{
	close_first(lingering, lingering->count);
}

void lingering_add(struct lingering *lingering, int fd, int64_t until)
{
	if (lingering->count == LINGERING_MAX)
		close_first(lingering, 1);
	shutdown(fd, SHUT_WR);
	lingering->open[lingering->count].fd = fd;
	lingering->open[lingering->count].until = until;
	lingering->open[lingering->count++].read = 0;
}

/* Whether more may come. */
static bool read_on(int fd, int64_t *total)
{
	char chunk[CHUNK];
	int64_t most = *total + LOOK_MAX;
	ssize_t n = 1;

	while (n > 0 && *total < most) {
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n > 0)
			*total += n;
	}
	return *total < READ_MAX && (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
}

void lingering_look(struct lingering *lingering, int64_t now)
{
	int i, kept = 0;

	for (i = 0; i < lingering->count; i++) {
		if (lingering->open[i].until > now &&
		    read_on(lingering->open[i].fd, &lingering->open[i].read))
			lingering->open[kept++] = lingering->open[i];
		else
			close(lingering->open[i].fd);
	}
	lingering->count = kept;
}
