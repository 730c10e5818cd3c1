/* What calls to the database took, counted by the statement's name. For db.c. */
#ifndef EDGE_DB_COUNT_H
#define EDGE_DB_COUNT_H

#include <stdint.h>

#include "base/status.h"
#include "base/wait.h"

/* One that began then (clock_us()) has ended; where `wait` (NULL is fine) says, if it does. */
void db_count(const struct wait *wait, const char *name, int64_t began_us, enum status status);

#endif
