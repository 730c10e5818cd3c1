/* Why the server refuses what an operator asks. */
#ifndef CTL_EXPLAIN_H
#define CTL_EXPLAIN_H

#include "cli/command.h"

/* Says what to do if it is for the state of the schema or the role; else nothing. */
void explain_refusal(const struct cli_call *call);

#endif
