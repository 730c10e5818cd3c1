/* Deleting with a person there: what workspace delete and chatbot delete share. */
#ifndef CTL_REMOVAL_H
#define CTL_REMOVAL_H

#include "cli/command.h"

/* Counts, asks, deletes what the first argument names, and says so: a whole command. */
int removal_run_workspace(const struct cli_call *call); /* with --keep-totals */
int removal_run_chatbot(const struct cli_call *call);

#endif
