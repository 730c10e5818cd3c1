/*
 * A bell between processes: who waits for it is woken, and hears how often it was rung. An eventfd,
 * to be made before fork.
 */
#ifndef BASE_BELL_H
#define BASE_BELL_H

#include <stdint.h>

#include "base/status.h"

/* A descriptor that is readable once it was rung; never blocks. STATUS_FAILED: errno says why. */
enum status bell_new(int *out) MUST_CHECK;
void bell_free(int bell); /* -1 is fine */
/* `times` above 0. */
void bell_ring(int bell, uint64_t times);
/* How often it was rung since it was heard last: by one of those who hear, if there are several. */
uint64_t bell_heard(int bell);

#endif
