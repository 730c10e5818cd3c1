/* The watching commands that stand in files of their own. */
#ifndef CTL_WATCH_H
#define CTL_WATCH_H

#include "cli/command.h"

/* tail: what ran last and what runs; `--follow` until SIGINT or SIGTERM. */
int watch_tail(const struct cli_call *call);

#endif
