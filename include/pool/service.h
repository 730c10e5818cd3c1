/*
 * The service manager above us, if there is one: the listening socket it opened, and what it wants
 * to hear. systemd's protocol (sd_listen_fds(3), sd_notify(3)), without its library.
 */
#ifndef POOL_SERVICE_H
#define POOL_SERVICE_H

#include "base/status.h"

/*
 * The listening socket that was handed to us, which stays open when we end; -1: none. To be called
 * once. STATUS_FAILED: what came is not one listening socket (logged).
 */
enum status service_socket(int *fd) MUST_CHECK;

/* All workers are up: at the start, and after a reload. */
void service_ready(void);
void service_reloading(void);
void service_stopping(void);

#endif
