/* The files of listening sockets.  Binding itself is edge/listen.c's. */
#include "pool/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "edge/listen.h"

enum status listener_open(struct listener *listener, const char *address,
			  const struct config *config)
{
	enum status status = listen_open(address, (unsigned)config->socket_mode,
					 (int)config->backlog, &listener->fd);

	if (status || !str_starts(str_from(address), STR("unix:")))
		return status;
	listener->path = strdup(address + 5);
	if (listener->path && lstat(listener->path, &listener->file) < 0) {
		free(listener->path);
		listener->path = NULL;
	}
	return STATUS_OK;
}

bool listener_is(int fd)
{
	int listens = 0, type = 0;
	socklen_t size = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

void listener_turn_away(int listen_fd)
{
	int fd;

	if (listen_fd < 0 || fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK))
		return;
	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == ECONNABORTED)
		if (fd >= 0)
			close(fd);
}

void listener_close(struct listener *listener)
{
	struct stat now;

	if (listener->path && lstat(listener->path, &now) == 0 &&
	    now.st_ino == listener->file.st_ino && now.st_dev == listener->file.st_dev)
		unlink(listener->path);
	if (listener->fd >= 0)
		close(listener->fd);
	free(listener->path);
	*listener = LISTENER_NONE;
}
