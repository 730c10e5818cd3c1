/*
 * The service manager above us, if there is one: the listening socket it opened, and what it wants
 * to hear. systemd's protocol (sd_listen_fds(3), sd_notify(3)), without its library.
 */
#ifndef POOL_SYSTEMD_H
#define POOL_SYSTEMD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

/*
 * The listening socket that was handed to us, which stays open when we end; -1: none. To be called
 * once. STATUS_FAILED: what came is not one listening socket (logged).
 */
enum status systemd_socket(int *fd) MUST_CHECK;

/* All workers are up: at the start, and after a reload. */
void systemd_ready(void);
void systemd_reloading(void);
void systemd_stopping(void);
/* That process is the service's main one from here on; we are heard no more. All its workers are up. */
void systemd_main(pid_t pid);
/* A line for `systemctl status`. */
void systemd_status(const char *line);
/* How often it wants a sign of life, with time to spare: milliseconds; CLOCK_NEVER: not at all. */
int64_t systemd_watchdog(void);
/* That sign. */
void systemd_alive(void);

#endif
