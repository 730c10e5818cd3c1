/* banterctl chatbot. */
#ifndef CTL_CHATBOT_H
#define CTL_CHATBOT_H

#include "cli/command.h"

extern const struct cli_command ctl_chatbot_commands[];

#endif
