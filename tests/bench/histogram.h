/*
 * A histogram of nanoseconds, of fixed size and with less than 1 % of error: a run's latencies
 * are counted, never listed.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_FINE 128 /* steps for each doubling */
#define HISTOGRAM_STEPS (HISTOGRAM_FINE * 57)

struct histogram {
	uint64_t count;
	int64_t max;
	uint32_t steps[HISTOGRAM_STEPS];
};

/* Less than nothing counts as nothing. */
void histogram_add(struct histogram *histogram, int64_t ns);

/* The value that a `share` (0 to 1) of all do not exceed; 0 of an empty one. */
int64_t histogram_quantile(const struct histogram *histogram, double share);

#endif
