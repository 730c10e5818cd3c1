/* The files of listening sockets.  Binding itself is edge/listen.c's. */
#include "pool/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum status listener_open(struct listener *listener, const char *address,
			  const struct config *config)
{
	enum status status = listen_open(address, (unsigned)config->socket_mode,
					 (int)config->backlog, &listener->fd);

	if (status == STATUS_OK)
		listen_file_of(listener->fd, &listener->file);
	return status;
}

void listener_take(struct listener *listener, int fd)
{
	*listener = (struct listener){ .fd = fd, .kept = fd >= 0 };
	if (fd >= 0)
		listen_file_of(fd, &listener->file);
}

enum status listener_renew(struct listener *listener, const char *address,
			   const struct config *config)
{
	struct listener fresh = LISTENER_NONE;
	enum status status;

	if (listen_file_stands(&listener->file))
		return STATUS_OK;
	if (listener->kept) {
		log_error("%s is gone, and whoever handed it over must make it again (systemctl "
			  "restart banter.socket)",
			  listener->file.path);
		return STATUS_FAILED;
	}
	status = listener_open(&fresh, address, config);
	if (status)
		return status;
	log_warn("%s was gone: it is bound again", listener->file.path);
	close(listener->fd);
	*listener = fresh;
	return STATUS_OK;
}

bool listener_is(int fd)
{
	int listens = 0, type = 0;
	socklen_t size = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

void listener_refuse(int listen_fd)
{
	shutdown(listen_fd, SHUT_RDWR); /* ENOTCONN: it was done before */
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

void listener_let_go(struct listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	*listener = LISTENER_NONE;
}

void listener_own(struct listener *listener, bool kept, const struct config *config)
{
	if (listener->fd < 0 || !listener->kept)
		return;
	listener->kept = kept;
	if (kept)
		return;
	/* Who asks whose it is (edge/control) is told who said this last. */
	if (listen(listener->fd, (int)config->backlog))
		log_warn("the backlog of %s stays as it was", listener->file.path);
	if (*listener->file.path && listen_file_stands(&listener->file) &&
	    chmod(listener->file.path, (mode_t)config->socket_mode))
		log_warn("the mode of %s stays as it was: %s", listener->file.path,
			 strerror(errno));
}

void listener_close(struct listener *listener)
{
	if (!listener->kept && *listener->file.path && listen_file_stands(&listener->file))
		unlink(listener->file.path);
	if (listener->fd >= 0)
		close(listener->fd);
	*listener = LISTENER_NONE;
}
