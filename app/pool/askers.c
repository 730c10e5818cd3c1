/* The askers.  A few: who comes when all places are taken is told so. */
#include "pool/askers.h"

#include <unistd.h>

void askers_init(struct askers *askers)
{
	*askers = (struct askers){ .listen_fd = -1 };
	if (control_listen(CONTROL_RELOAD, &askers->listen_fd))
		askers->listen_fd = -1;
}

void askers_clear(struct askers *askers)
{
	askers_tell(askers, CONTROL_FAILED, "the pool has ended");
	if (askers->listen_fd >= 0)
		close(askers->listen_fd);
	askers->listen_fd = -1;
}

bool askers_came(struct askers *askers)
{
	bool came = false;
	int fd;

	while (askers->listen_fd >= 0 && (fd = control_accept(askers->listen_fd)) >= 0) {
		if (askers->count == ASKERS) {
			control_answer(fd, CONTROL_FAILED, "too many ask for it");
			continue;
		}
		askers->all[askers->count++] = fd;
		came = true;
	}
	return came;
}

void askers_tell(struct askers *askers, enum control_end end, const char *text)
{
	while (askers->count)
		control_answer(askers->all[--askers->count], end, text);
}
