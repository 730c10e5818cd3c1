/* Holding who is silent.  They are few but for somebody's fault or wish, so each is asked in turn. */
#include "edge/silent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* It says nothing of the client. */
static bool is_ours(int error)
{
	return error == EAGAIN || error == EINTR || error == ENOMEM || error == ENOBUFS;
}

enum status silent_look(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0)
		return STATUS_OK;
	return n < 0 && is_ours(errno) ? STATUS_TIMEOUT : STATUS_CLOSED;
}

enum status silent_init(struct silent *silent, uint32_t most)
{
	*silent = (struct silent){ .all = calloc(most, sizeof(*silent->all)), .size = most };
	return silent->all ? STATUS_OK : STATUS_NOMEM;
}

void silent_clear(struct silent *silent)
{
	while (silent_drop(silent))
		;
	free(silent->all);
	*silent = (struct silent){ .all = NULL };
}

void silent_add(struct silent *silent, int fd, int64_t until)
{
	if (silent->count == silent->size)
		silent_drop(silent);
	silent->all[silent->count++] = (struct silent_one){ fd, until };
}

bool silent_drop(struct silent *silent)
{
	if (!silent->count)
		return false;
	close(silent->all[0].fd);
	memmove(silent->all, silent->all + 1, --silent->count * sizeof(*silent->all));
	return true;
}

uint32_t silent_take(struct silent *silent, int64_t now, uint32_t most, int out[])
{
	uint32_t i, kept = 0, given = 0;
	struct silent_one one;
	enum status said;

	for (i = 0; i < silent->count; i++) {
		one = silent->all[i];
		said = given < most ? silent_look(one.fd) : STATUS_TIMEOUT;
		if (said == STATUS_OK)
			out[given++] = one.fd;
		else if (said == STATUS_TIMEOUT && now < one.until)
			silent->all[kept++] = one;
		else
			close(one.fd);
	}
	silent->count = kept;
	return given;
}
