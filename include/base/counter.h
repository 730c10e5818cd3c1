/*
 * What the program counts, in one table, from which code and pages are made.  Values stand in slots
 * of shared memory: each process adds to a slot of its own, whoever reads sums them.  A slot is never
 * set back: who takes a dead process's place goes on from where that one was, so that a sum never
 * falls while the memory lives.
 */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/status.h"

enum counter_kind {
	COUNTER_TOTAL, /* only grows */
};

/* ROW(constant, name, kind, help): a counter is one row. The help is one line, without a full stop. */
#define COUNTER_ROWS(ROW)                                                                          \
	ROW(REQUESTS, "requests", COUNTER_TOTAL,                                                   \
	    "requests that were answered, refused ones and those of the status listener too")      \
	ROW(EXCHANGES, "exchanges", COUNTER_TOTAL,                                                 \
	    "exchanges that were recorded, however they ended")                                    \
	ROW(TOKENS, "tokens", COUNTER_TOTAL, "pieces of answers that were passed on")              \
	ROW(BREAKERS, "breakers", COUNTER_TOTAL, "how often a model server's breaker opened")      \
	ROW(MODEL_REQUESTS, "model_requests", COUNTER_TOTAL,                                       \
	    "requests to model servers, those that failed too")                                    \
	ROW(MODEL_REQUESTS_AGAIN, "model_requests_again", COUNTER_TOTAL,                           \
	    "those of them that asked again, after one that failed")

enum counter {
#define COUNTER_CONSTANT(constant, name, kind, help) COUNTER_##constant,
	COUNTER_ROWS(COUNTER_CONSTANT)
#undef COUNTER_CONSTANT
		COUNTERS
};

struct counter_entry {
	const char *name; /* lower-case letters and _ */
	enum counter_kind kind;
	const char *help;
};
const struct counter_entry *counter_entry_at(enum counter counter);

/* One process's; a cache line of its own, so that no worker slows another. */
struct counter_slot {
	alignas(64) _Atomic uint64_t values[COUNTERS];
};

static inline void counter_add(struct counter_slot *slot, enum counter counter, uint64_t n)
{
	atomic_fetch_add_explicit(&slot->values[counter], n, memory_order_relaxed);
}

static inline uint64_t counter_read(const struct counter_slot *slot, enum counter counter)
{
	return atomic_load_explicit(&slot->values[counter], memory_order_relaxed);
}

struct counter_table;

/*
 * `count` slots. `file` NULL: anonymous memory, to be made before fork. Else that file, as
 * shared_memory_open() does it, and what other processes counted there is in it; *why as there.
 *   STATUS_NOMEM, STATUS_FAILED
 */
enum status counter_table_open(const char *file, uint32_t count, struct counter_table **out,
			       const char **why) MUST_CHECK;
void counter_table_close(struct counter_table *table); /* NULL is fine; a file's content stays */
/* `index` below `count`. */
struct counter_slot *counter_table_slot(struct counter_table *table, uint32_t index);
/* Over all slots. */
uint64_t counter_table_sum(const struct counter_table *table, enum counter counter);

#endif
