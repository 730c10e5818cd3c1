/* What the settings want of the master's state machine. Pure: settings in, a plan out. */
#ifndef POOL_PLAN_H
#define POOL_PLAN_H

#include <stdbool.h>

#include "pool/master.h"
#include "wire/config.h"

/* `status`: there is a status listener. */
struct master_plan plan_of(const struct config *config, bool status);

#endif
