/*
 * How an operator's program reaches a running master: a unix socket without a file, named by the
 * master's process id. To connect to the first is to ask for a reload, and the answer is one line; the
 * second is for being told what the pool does. Both ends look who
 * the other is: the kernel says it.
 */
#ifndef EDGE_CONTROL_H
#define EDGE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/status.h"

/* How it ended; a digit before the answer's text. */
enum control_end { CONTROL_DONE, CONTROL_FAILED, CONTROL_WRONG };

/* What one connects for: a socket each, so that no older master takes one for the other. */
enum control_place {
	CONTROL_RELOAD,
	CONTROL_SHOW, /* the caller says what in a word (control_show()); the answer is a text */
};

/* The master's end. STATUS_FAILED: logged. */
enum status control_listen(enum control_place place, int *fd) MUST_CHECK;
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
/* The word that one who came to CONTROL_SHOW says, NUL-ended; waits a moment for it. False: none. */
bool control_word(int fd, char *word, size_t size) MUST_CHECK;
/* Asks that process to show it. As control_ask(); STATUS_TIMEOUT: it did not answer in time. */
enum status control_show(pid_t pid, const char *word, int64_t deadline,
			 struct buf *text) MUST_CHECK;
/* The processes of this machine that can be asked so, into `pids`; how many, at most `size`. */
size_t control_all(pid_t *pids, size_t size) MUST_CHECK;
/*
 * The process that listens on unix:PATH. STATUS_INVALID: no such form; STATUS_UNAVAILABLE: nobody
 * listens there (errno).
 */
enum status control_find(const char *address, pid_t *pid) MUST_CHECK;

#endif
