/*
 * The admission process: says "full" (G6). While no worker is free it takes connections out of the kernel's
 * backlog, which knows no age, and puts them into the queue, where workers find them first.
 * Who waited BANTER_QUEUE_TIME there gets 503. It needs neither the database nor the model, and
 * never waits for a client. Where the pool can grow it rings for more workers.
 *
 * It also holds the connections on which nobody said a word yet, for BANTER_REQUEST_TIME, so that
 * none of them keeps a worker: who speaks goes into the queue.
 */
#ifndef POOL_ADMISSION_H
#define POOL_ADMISSION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/counter.h"
#include "chat/limit.h"
#include "edge/queue.h"
#include "pool/scoreboard.h"
#include "wire/config.h"

struct admission_setup {
	const struct config *config;
	int listen_fd;
	struct queue *queue;
	struct queue *silent; /* who said nothing to a worker */
	struct limit *limit;
	uint32_t holder; /* our place in `limit` */
	const struct scoreboard *scoreboard;
	int bell;  /* to ring for each connection that waits while no worker is idle */
	int alarm; /* rung when a worker died: it may have been woken for one */
	struct scoreboard_slot *slot;
	struct counters counters;
	const volatile sig_atomic_t *stop;
	pid_t master;
	bool kept; /* the listening socket outlives us: nobody need be refused for our end */
};

/*
 * Runs until told to stop. Alone, because it is exchanged, it takes nobody any more and ends when
 * nobody waits but in the queue; with all the others (the scoreboard's `closing`, or without
 * `master`, unless another pool has `followed`) it refuses whoever waits: at once, or, where the
 * socket is `kept`, when the time of each is over or no worker is left to take it. Returns the
 * process's exit code: 0; 1 it cannot work (logged).
 */
int admission_run(const struct admission_setup *setup);

#endif
