/* The handlers.  They set a flag; what it means is for the one who waits. */
#include "pool/signals.h"

#include <stddef.h>

#include "base/count.h"
#include "base/guard.h"
#include "base/wait.h"

static struct signals flags;

static const int handled[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2 };

int signals_number(enum wait_stop stop)
{
	return SIGRTMIN + (int)stop;
}

int signals_wake(void)
{
	return SIGRTMIN + WAIT_NOW + 1;
}

/* Whoever waits looks again when a signal came. */
static void on_wake(int number)
{
	(void)number;
}

/* What a master says; what was said before it may be more. */
static void on_word(int number)
{
	enum wait_stop word = (enum wait_stop)(number - SIGRTMIN);

	if (flags.stop != WAIT_NOW && (word != WAIT_RETIRE || !flags.stop))
		flags.stop = word;
	guard_signalled();
}

static void on_signal(int number)
{
	switch (number) {
	case SIGHUP:
		flags.reload = 1;
		break;
	case SIGCHLD:
		flags.child = 1;
		break;
	case SIGUSR1:
		flags.status = 1;
		break;
	case SIGUSR2:
		flags.upgrade = 1;
		break;
	case SIGTERM:
		if (flags.stop != WAIT_NOW)
			flags.stop = flags.terminated ? WAIT_NOW : WAIT_DRAIN;
		flags.terminated = 1;
		break;
	default:
		if (flags.stop)
			flags.hurry = 1;
		if (flags.stop != WAIT_NOW)
			flags.stop = WAIT_DRAIN;
	}
	guard_signalled();
}

/*
 * One handler at a time: of two that came together, SIGINT is then handled before SIGTERM, and
 * retiring takes back no drain. A library's read goes on behind it.
 */
static void handle(int number, void (*handler)(int number))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigfillset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void handle_words(void)
{
	int stop;

	for (stop = WAIT_DRAIN; stop <= WAIT_NOW; stop++)
		handle(signals_number((enum wait_stop)stop), on_word);
	handle(signals_wake(), on_wake);
}

struct signals *signals_init(void)
{
	sigset_t block;
	size_t i;
	int stop;

	sigemptyset(&block);
	for (i = 0; i < COUNT(handled); i++)
		sigaddset(&block, handled[i]);
	for (stop = WAIT_DRAIN; stop <= WAIT_NOW; stop++)
		sigaddset(&block, signals_number((enum wait_stop)stop));
	sigaddset(&block, signals_wake());
	sigprocmask(SIG_BLOCK, &block, NULL);
	for (i = 0; i < COUNT(handled); i++)
		handle(handled[i], on_signal);
	handle_words();
	handle(SIGPIPE, SIG_IGN);
	handle(SIGXFSZ, SIG_IGN); /* a log that may not grow ends nobody */
	return &flags;
}

void signals_child(void)
{
	flags = (struct signals){ 0 };
	handle(SIGHUP, SIG_IGN);
	handle(SIGUSR1, SIG_IGN);
	handle(SIGUSR2, SIG_IGN);
	handle(SIGCHLD, SIG_DFL);
}
