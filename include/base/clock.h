/* Time: one monotonic clock for deadlines, one wall clock for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_NEVER INT64_MAX
#define CLOCK_STAMP_SIZE 32

/* Milliseconds since some fixed point; never goes back; the same in all processes of the host. */
int64_t clock_ms(void);
/* The same clock in microseconds, for what is measured. */
int64_t clock_us(void);
/* Milliseconds since 1970 (UTC). */
int64_t clock_wall_ms(void);
/* The wall clock as RFC 3339 with milliseconds, UTC, into `out`. */
void clock_stamp(char out[CLOCK_STAMP_SIZE]);
/* The earlier of two points in time. */
static inline int64_t clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The later of them. */
static inline int64_t clock_later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

#endif
