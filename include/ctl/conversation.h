/* banterctl conversation. */
#ifndef CTL_CONVERSATION_H
#define CTL_CONVERSATION_H

#include "cli/command.h"

extern const struct cli_command ctl_conversation_commands[];

#endif
