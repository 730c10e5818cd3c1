/*
 * What the load client and the bench model share: the clock, and the form of a token's text. Not
 * for anything that is measured.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <inttypes.h>
#include <stdint.h>
#include <time.h>

/* A token is "NUMBER:NANOSECONDS ": its place in the answer, from 0, and when it was sent. */
#define BENCH_TOKEN "%u:%" PRId64 " "
/* What the model looks for in the request's last message. Without burst, it is 1. */
#define BENCH_WISH "bench tokens=%u gap_us=%u burst=%u"
#define BENCH_BURST 100 /* tokens that one write of the model's may have */

#define BENCH_NEVER INT64_MAX

/* CLOCK_MONOTONIC in nanoseconds: the same for every process of a machine. */
static inline int64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* From now to `due`, never less than nothing; for epoll_pwait2(). */
static inline struct timespec bench_until(int64_t due, int64_t now)
{
	int64_t left = due > now ? due - now : 0;

	return (struct timespec){ .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
}

#endif
