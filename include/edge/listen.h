/* The listening socket: bound by ourselves. What comes there is edge/gateway's. */
#ifndef EDGE_LISTEN_H
#define EDGE_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/status.h"

/*
 * Binds and listens. `address` is unix:PATH or HOST:PORT; `mode` is the unix socket's file mode.
 * A socket file that nobody answers on is replaced; one that answers is not.
 * STATUS_FAILED: logged, with what to do.
 */
enum status listen_open(const char *address, unsigned mode, int backlog, int *fd) MUST_CHECK;

/* The file of a listening unix socket, by which alone it is found: it may be removed under it. */
struct listen_file {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": none, or none that we see */
	dev_t device;
	ino_t inode;
};
/* As it is now. */
void listen_file_of(int fd, struct listen_file *out);
/* It is there, and still the same; true for none. */
bool listen_file_stands(const struct listen_file *file);

#endif
