/* Signals set a flag, nothing else. They are blocked everywhere but in base/wait. */
#ifndef POOL_SIGNALS_H
#define POOL_SIGNALS_H

#include <signal.h>

struct signals {
	/* SIGTERM, SIGINT, SIGQUIT: WAIT_DRAIN; in a child, SIGUSR2: WAIT_RETIRE (base/wait.h). */
	volatile sig_atomic_t stop;
	volatile sig_atomic_t hurry; /* SIGINT or SIGQUIT when `stop` was up already: end at once */
	volatile sig_atomic_t reload; /* SIGHUP */
	volatile sig_atomic_t child;  /* SIGCHLD */
	volatile sig_atomic_t status; /* SIGUSR1: log the scoreboard */
};

/*
 * Installs the handlers and blocks the signals; returns the flags they set (one set a process).
 * SIGPIPE and SIGXFSZ are ignored, and SIGUSR2, which is for children.
 */
struct signals *signals_init(void);
/*
 * In a fresh child, and where the workers are not ours: all flags down; SIGHUP and SIGUSR1 ignored,
 * SIGCHLD default; SIGUSR2 retires.
 */
void signals_child(void);

#endif
