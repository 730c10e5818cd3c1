/* The handlers.  They set a flag; what it means is for the one who waits. */
#include "pool/signals.h"

#include <stddef.h>

#include "base/count.h"
#include "base/wait.h"

static struct signals flags;

static const int handled[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2 };

static void on_signal(int number)
{
	switch (number) {
	case SIGUSR2:
		if (!flags.stop)
			flags.stop = WAIT_RETIRE;
		break;
	case SIGHUP:
		flags.reload = 1;
		break;
	case SIGCHLD:
		flags.child = 1;
		break;
	case SIGUSR1:
		flags.status = 1;
		break;
	default:
		if (flags.stop && number != SIGTERM)
			flags.hurry = 1;
		flags.stop = WAIT_DRAIN;
	}
}

/*
 * One handler at a time: of two that came together, SIGINT is then handled before SIGTERM, and
 * SIGUSR2 takes back no SIGTERM.
 */
static void handle(int number, void (*handler)(int number))
{
	struct sigaction action = { .sa_handler = handler };

	sigfillset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

struct signals *signals_init(void)
{
	sigset_t block;
	size_t i;

	sigemptyset(&block);
	for (i = 0; i < COUNT(handled); i++)
		sigaddset(&block, handled[i]);
	sigprocmask(SIG_BLOCK, &block, NULL);
	for (i = 0; i < COUNT(handled); i++)
		handle(handled[i], on_signal);
	handle(SIGPIPE, SIG_IGN);
	handle(SIGXFSZ, SIG_IGN); /* a log that may not grow ends nobody */
	handle(SIGUSR2, SIG_IGN);
	return &flags;
}

void signals_child(void)
{
	flags = (struct signals){ 0 };
	handle(SIGHUP, SIG_IGN);
	handle(SIGUSR1, SIG_IGN);
	handle(SIGCHLD, SIG_DFL);
	handle(SIGUSR2, on_signal);
}
