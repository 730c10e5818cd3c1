/* The handlers.  They set a flag; what it means is for the one who waits. */
#include "pool/signals.h"

#include <stddef.h>

static struct signals flags;

static const int handled[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, SIGUSR1 };

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
	default:
		if (flags.stop && number != SIGTERM)
			flags.hurry = 1;
		flags.stop = 1;
	}
}

struct signals *signals_init(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t block;
	size_t i;

	sigemptyset(&block);
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaddset(&block, handled[i]);
	/*
	 * One handler at a time: of two that came together, SIGINT is then handled before SIGTERM.
	 */
	action.sa_mask = block;
	sigprocmask(SIG_BLOCK, &block, NULL);
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaction(handled[i], &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	return &flags;
}

void signals_child(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction usual = { .sa_handler = SIG_DFL };

	flags = (struct signals){ 0 };
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGUSR1, &ignore, NULL);
	sigaction(SIGCHLD, &usual, NULL);
}
