/* banterctl conversation search. */
#ifndef CTL_CONVERSATION_SEARCH_H
#define CTL_CONVERSATION_SEARCH_H

#include "cli/command.h"

int conversation_search(const struct cli_call *call);

#endif
