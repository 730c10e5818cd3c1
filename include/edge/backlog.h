/* How many connections wait in a listening socket, which the kernel knows and no system call of sockets says. */
#ifndef EDGE_BACKLOG_H
#define EDGE_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

/* False: it cannot be known here (no such socket, a sandbox without AF_NETLINK). */
bool backlog_of(int listen_fd, uint32_t *waiting, uint32_t *most);

#endif
