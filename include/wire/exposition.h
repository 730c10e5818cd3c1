/*
 * Writing: metrics as monitors read them, in Prometheus' text format 0.0.4 or as OpenMetrics 1.0.0.
 * Values in, bytes out; what a label or a help holds can break no line.  Names are the caller's
 * constants: letters, digits and _, "banter_" and what belongs behind them is added here.
 */
#ifndef WIRE_EXPOSITION_H
#define WIRE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/counter.h"

enum exposition_type {
	EXPOSITION_COUNTER, /* its samples' names end in _total */
	EXPOSITION_GAUGE,
	EXPOSITION_HISTOGRAM,
};

struct exposition {
	struct buf *out; /* failures stick there (buf_check) */
	bool open;	 /* OpenMetrics */
	const char *name;
	const char *unit; /* "": none */
	enum exposition_type type;
};

struct exposition_label {
	const char *name; /* NULL ends a list */
	const char *value;
};

void exposition_begin(struct exposition *exposition, struct buf *out, bool open);
/* A metric, before its samples. `unit`: "seconds", or "". */
void exposition_family(struct exposition *exposition, const char *name, enum exposition_type type,
		       const char *unit, const char *help);
/* One sample of the metric. `labels` NULL: none. */
void exposition_whole(struct exposition *exposition, const struct exposition_label *labels,
		      uint64_t value);
/* The same in thousandths. */
void exposition_thousandths(struct exposition *exposition, const struct exposition_label *labels,
			    int64_t value);
/* All of a table's counters, as metrics; of sets of names those that there are. */
void exposition_counters(struct exposition *exposition, const struct counter_table *table);
void exposition_end(struct exposition *exposition);

#endif
