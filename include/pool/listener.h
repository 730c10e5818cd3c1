/* A listening socket of ours or handed over and, where it is a unix one, its file. */
#ifndef POOL_LISTENER_H
#define POOL_LISTENER_H

#include <stdbool.h>

#include "base/status.h"
#include "edge/listen.h"
#include "wire/config.h"

struct listener {
	int fd;	   /* -1: none */
	bool kept; /* it was handed over and outlives us, and so does its file */
	struct listen_file file;
};

#define LISTENER_NONE ((struct listener){ .fd = -1 })

/* Binds and listens on unix:PATH or HOST:PORT. As listen_open(). */
enum status listener_open(struct listener *listener, const char *address,
			  const struct config *config) MUST_CHECK;
/* One that was handed over; -1: none. */
void listener_take(struct listener *listener, int fd);
/*
 * Binds anew, on another descriptor, if its file was removed: nobody can connect to it any more. The
 * old one is closed. STATUS_FAILED: it stays as it was (logged).
 */
enum status listener_renew(struct listener *listener, const char *address,
			   const struct config *config) MUST_CHECK;
/* True if that descriptor is a listening stream socket. */
bool listener_is(int fd);
/*
 * Nobody can connect to it any more, in whichever process it is open; who waits on a Unix socket still
 * does, who waits on a TCP one is cut.
 */
void listener_refuse(int listen_fd);
/* Cuts whoever waits on a listening socket (-1: none), for which a web server answers 503. */
void listener_turn_away(int listen_fd);
/* Another process has it from here on: closes, and leaves its file alone. */
void listener_let_go(struct listener *listener);
/*
 * It was another master's; from here on it and its file are ours, as our settings want its backlog and
 * mode; or it is `kept` still.
 */
void listener_own(struct listener *listener, bool kept, const struct config *config);
/* Closes, and removes the file unless another process has put its own in that place. */
void listener_close(struct listener *listener);

#endif
