/* banterctl doctor: the real thing is tried, part by part, and each finding says what to do next. */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "cli/command.h"

extern const struct cli_command doctor_commands[];

#endif
