/*
 * How an operator's program reaches a running master: a unix socket without a file, named by the
 * master's process id. To connect is to ask for a reload; the answer is one line. Both ends look who
 * the other is: the kernel says it.
 */
#ifndef EDGE_CONTROL_H
#define EDGE_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/status.h"

/* How it ended; a digit before the answer's text. */
enum control_end { CONTROL_DONE, CONTROL_FAILED, CONTROL_WRONG };

/* The master's end. STATUS_FAILED: logged. */
enum status control_listen(int *fd) MUST_CHECK;
/* The next one who asks, if it is root or our own user; others are cut. -1: nobody. */
int control_accept(int listen_fd);
/* Answers and closes. */
void control_answer(int fd, enum control_end end, const char *text);

/*
 * Asks that process and waits for its answer.
 *   STATUS_OK           *end and `text` are the answer
 *   STATUS_UNAVAILABLE  no master of ours has that id
 *   STATUS_CLOSED       it did not answer: it ended, or we are neither root nor its user
 *   STATUS_TIMEOUT      it took the settings, or so it seems, and did not come to an end
 *   STATUS_NOMEM, STATUS_FAILED
 */
enum status control_ask(pid_t pid, int64_t deadline, enum control_end *end,
			struct buf *text) MUST_CHECK;
/*
 * The process that listens on unix:PATH. STATUS_INVALID: no such form; STATUS_UNAVAILABLE: nobody
 * listens there (errno).
 */
enum status control_find(const char *address, pid_t *pid) MUST_CHECK;

#endif
