/* A listening socket of ours and, where it is a unix one, its file. */
#ifndef POOL_LISTENER_H
#define POOL_LISTENER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/status.h"
#include "wire/config.h"

struct listener {
	int fd;		  /* -1: none */
	char *path;	  /* of the unix socket; NULL: none of ours */
	struct stat file; /* what it was when we made it */
};

#define LISTENER_NONE ((struct listener){ .fd = -1 })

/* Binds and listens on unix:PATH or HOST:PORT. As listen_open(). */
enum status listener_open(struct listener *listener, const char *address,
			  const struct config *config) MUST_CHECK;
/* True if that descriptor is a listening stream socket. */
bool listener_is(int fd);
/* Cuts whoever waits on a listening socket (-1: none), for which a web server answers 503. */
void listener_turn_away(int listen_fd);
/* Closes, and removes the file unless another process has put its own in that place. */
void listener_close(struct listener *listener);

#endif
