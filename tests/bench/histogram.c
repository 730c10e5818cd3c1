/* Logarithmic steps, each doubling split into equal parts. */
#include "histogram.h"

/* Values below HISTOGRAM_FINE have a step each; above, the highest bits choose it. */
static unsigned step_of(uint64_t ns)
{
	unsigned shift;

	if (ns < HISTOGRAM_FINE)
		return (unsigned)ns;
	shift = 63 - (unsigned)__builtin_clzll(ns) - 7;
	return (shift + 1) * HISTOGRAM_FINE + (unsigned)(ns >> shift) - HISTOGRAM_FINE;
}

/* The middle of a step. */
static int64_t value_of(unsigned step)
{
	unsigned shift;

	if (step < HISTOGRAM_FINE)
		return step;
	shift = step / HISTOGRAM_FINE - 1;
	return (int64_t)((uint64_t)(step % HISTOGRAM_FINE + HISTOGRAM_FINE) << shift) +
	       (shift ? INT64_C(1) << (shift - 1) : 0);
}

void histogram_add(struct histogram *histogram, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	histogram->steps[step_of((uint64_t)ns)]++;
	histogram->count++;
	if (ns > histogram->max)
		histogram->max = ns;
}

int64_t histogram_quantile(const struct histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t)((double)histogram->count * share + 0.999999), sum = 0;
	unsigned step;

	for (step = 0; step < HISTOGRAM_STEPS; step++) {
		sum += histogram->steps[step];
		if (sum && sum >= wanted)
			return value_of(step);
	}
	return 0;
}
