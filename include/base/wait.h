/*
 * The one place where a process waits: a ppoll over a few descriptors, with one deadline.  Which
 * slot is whose is said by those who use it (a worker's edges: edge/wait_slots.h).  Signals are
 * blocked everywhere else and let through here only, but for a guarded connection's (base/guard).
 * While an exchange runs, the heartbeat is also driven from here, so that it goes on whatever the
 * worker waits for; and each wait that ends is a step of its stage.
 */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/running.h"
#include "base/stage.h"
#include "base/status.h"

#define WAIT_SLOTS 8 /* 0 … WAIT_SLOTS - 1 */

/* What `stop` says: this process is to end, and takes nothing new. */
enum wait_stop {
	WAIT_DRAIN = 1, /* what runs may go on for drain_ms */
	WAIT_RETIRE,	/* what runs has all its time: another serves in our place */
	WAIT_NOW,	/* what runs ends at once */
};

/* Called when the heartbeat is due; must move `beat_at` on (reply does it with every write). */
typedef void (*wait_beat_fn)(void *context);

struct wait {
	struct pollfd fds[WAIT_SLOTS];	   /* fd -1: unused */
	sigset_t signals;		   /* the mask while waiting */
	const volatile sig_atomic_t *stop; /* 0, or an enum wait_stop; NULL: never */
	int64_t drain_ms;
	int64_t stop_at; /* when an exchange must end; CLOCK_NEVER until WAIT_DRAIN is seen */
	/*
	 * Called once, when `stop` is first seen while an exchange runs; it may be within a signal's
	 * handler, so it must do nothing but close descriptors. NULL: nobody wants to know.
	 */
	void (*stopping)(void *context);
	void *stopping_context;
	_Atomic bool stopping_told;
	wait_beat_fn beat;
	void *beat_context;
	int64_t beat_at;  /* clock_ms(); CLOCK_NEVER: no heartbeat */
	int64_t now;	  /* clock_ms() when wait_some() returned */
	int client;	  /* the slot of wait_client(); -1: none */
	bool client_left; /* seen there; stays until the next wait_client() */
	/*
	 * Asked when the client has left, once: true, and what runs goes on without it, for now; the
	 * wait ends with STATUS_OK. NULL: it ends, always.
	 */
	bool (*left)(void *context);
	void *left_context;
	bool undisturbed; /* see wait_undisturbed() */
	uint32_t ready;	  /* after wait_epoll(): the data.u32 of all that are ready, or-ed */
	struct stage *stage;
	struct running *running; /* the exchange, which others may want to end; NULL: nobody can */
	const struct counters *counters; /* where what happens is counted; NULL: nowhere */
};

/*
 * Nothing watched, no deadline, signals as they are blocked now less SIGTERM, SIGINT, SIGQUIT,
 * SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM and the real-time ones.
 */
void wait_init(struct wait *wait);

/* Watches `fd` (-1: no more) in a slot for `events`; revents are in fds[slot] after wait_some(). */
void wait_watch(struct wait *wait, int slot, int fd, short events);
/* A new client: its descriptor (-1: none yet) is watched in that slot for its leaving. */
void wait_client(struct wait *wait, int slot, int fd);

/*
 * Waits once, until a watched descriptor is ready, the client has left, or clock_ms() reaches
 * `deadline`; beats are driven meanwhile.
 *   STATUS_OK       look at fds[].revents (or a signal came: look again)
 *   STATUS_TIMEOUT  the deadline passed
 *   STATUS_CLOSED   the client left; told on every call, unless `left` says that it goes on
 *   STATUS_STOPPED  the drain's time is over, or the exchange is to end (`running`)
 */
enum status wait_some(struct wait *wait, int64_t deadline) MUST_CHECK;
/* Looks, without waiting, whether the client has left. */
bool wait_client_left(struct wait *wait);
/*
 * While `on`, neither the client's leaving nor the drain's end ends a wait, nor what `running` says:
 * an exchange is being recorded. A new client ends it.
 */
void wait_undisturbed(struct wait *wait, bool on);

/* Looks at `stop`, while an exchange runs, and sets what follows from it. For base/guard's handler too. */
void wait_see_stop(struct wait *wait, int64_t now);

/*
 * Waits until `epoll` (which watches the listening socket, EPOLLEXCLUSIVE, so that one
 * request wakes one worker) is ready: STATUS_OK, and `ready` says what; STATUS_STOPPED once `stop`
 * is set; STATUS_TIMEOUT at the deadline.
 */
enum status wait_epoll(struct wait *wait, int epoll, int64_t deadline) MUST_CHECK;

#endif
