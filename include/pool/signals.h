/* Signals set a flag, nothing else. They are blocked everywhere but in base/wait and base/guard. */
#ifndef POOL_SIGNALS_H
#define POOL_SIGNALS_H

#include <signal.h>

#include "base/wait.h"

struct signals {
	/*
	 * An enum wait_stop (base/wait.h). SIGTERM, SIGINT, SIGQUIT: WAIT_DRAIN; a second SIGTERM:
	 * WAIT_NOW; what a child's master says, or the one that came after this one.
	 */
	volatile sig_atomic_t stop;
	volatile sig_atomic_t terminated; /* SIGTERM came */
	volatile sig_atomic_t hurry; /* SIGINT or SIGQUIT when `stop` was up already: end at once */
	volatile sig_atomic_t reload;  /* SIGHUP */
	volatile sig_atomic_t upgrade; /* SIGUSR2 */
	volatile sig_atomic_t child;   /* SIGCHLD */
	volatile sig_atomic_t status;  /* SIGUSR1: log the scoreboard */
};

/*
 * Installs the handlers and blocks the signals; returns the flags they set (one set a process).
 * SIGPIPE and SIGXFSZ are ignored.
 */
struct signals *signals_init(void);
/*
 * In a fresh child, and where the workers are not ours: all flags down; SIGHUP, SIGUSR1 and SIGUSR2
 * ignored, SIGCHLD default.
 */
void signals_child(void);
/*
 * By which signal a master tells a child, or the master before it, to stop in that way: a real-time
 * one, which nobody else sends by mistake, or to a whole group of processes.
 */
int signals_number(enum wait_stop stop);
/* By which it tells one to look what is wanted of the exchange it runs (base/running). */
int signals_wake(void);

#endif
