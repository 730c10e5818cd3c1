/*
 * Long work on standard error, where that is a terminal: "deleting: 1200 of 5000". It is drawn over
 * itself, at most some times a second.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

/* `total` 0: not known. */
void progress_show(const char *what, int64_t done, int64_t total);
/* Removes it. */
void progress_end(void);

#endif
