/* Asks the pool that runs what it does, whether or not it has a worker or a listener free. */
#ifndef CTL_RUNNING_H
#define CTL_RUNNING_H

#include "base/buf.h"
#include "cli/command.h"

/* The option that names the pool. */
#define RUNNING_PID                                                                                \
	{                                                                                          \
		"--pid", "N",                                                                      \
			"the pool's master process; else the one that listens on BANTER_LISTEN, "  \
			"or the "                                                                  \
			"only one of this machine"                                                 \
	}

/*
 * What it says to that word (edge/control.h), into `out`. CLI_DONE, CLI_WRONG or CLI_FAILED (said); `none`
 * not NULL: where none is found that we may ask, CLI_FAILED is not said, and *none set.
 */
int running_ask(const struct cli_call *call, const char *word, struct buf *out, bool *none);

#endif
