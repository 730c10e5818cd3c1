/*
 * The guard of a connection on which a library blocks: bounds its reads and writes, and has signals
 * heard meanwhile.  From guard_open() to guard_close() signals come through wherever the process is; they
 * break nothing off, and what is to end is ended by shutting the connection.  A read or write costs
 * no system call more, but for a timer, which is set once for many of them.
 *
 * One connection a process, and one exchange on it.  Whatever handler a signal has must be installed
 * with SA_RESTART, and call guard_signalled().
 */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include <stdint.h>

#include "base/status.h"
#include "base/wait.h"

void guard_open(struct wait *wait, int fd);
void guard_close(void);

/*
 * Between the two the library may block. After `ms`, or once the time of a stop is over, the
 * connection is shut in that way (SHUT_RD, SHUT_RDWR). Begun again, it has all its time again.
 */
void guard_begin(int how, int64_t ms);
/* STATUS_OK; STATUS_STOPPED or STATUS_TIMEOUT: why it was shut meanwhile. */
enum status guard_end(void) MUST_CHECK;

/* For a signal's handler, last. */
void guard_signalled(void);

#endif
