/* The listening socket: bound by ourselves. What comes there is edge/gateway's. */
#ifndef EDGE_LISTEN_H
#define EDGE_LISTEN_H

#include "base/status.h"

/*
 * Binds and listens. `address` is unix:PATH or HOST:PORT; `mode` is the unix socket's file mode.
 * A socket file that nobody answers on is replaced; one that answers is not.
 * STATUS_FAILED: logged, with what to do.
 */
enum status listen_open(const char *address, unsigned mode, int backlog, int *fd) MUST_CHECK;

#endif
