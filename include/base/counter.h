/*
 * What the program counts, in one table, from which code, pages and metrics are made.  Values stand in
 * slots of shared memory: each process adds to a slot of its own, whoever reads sums them.  A slot is
 * never set back: who takes a dead process's place goes on from where that one was, so that a sum
 * never falls while the memory lives.
 *
 * What a row is counted by is a set: of constant words, or of names that are not known before the
 * program runs (routes, model servers), which the memory itself holds, so that who reads it needs to know
 * nothing else.  Only what the program or its settings say is ever a name: nothing of a request's.
 */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

enum counter_kind {
	COUNTER_TOTAL,	 /* only grows */
	COUNTER_GAUGE,	 /* a living process's own, set; a dead one's does not count */
	COUNTER_SECONDS, /* how long something took: how often within which bound, and the sum */
};

/* The bounds of all COUNTER_SECONDS, in microseconds, smallest first; one more has no bound. */
#define COUNTER_BOUNDS                                                                             \
	1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000,  \
		10000000, 30000000, 60000000, 300000000
#define COUNTER_BOUND_COUNT 16

/* Sets of constant words; each list is its set's values in the order of the enum that counts by it. */
#define COUNTER_STATUSES(STATUS)                                                                   \
	STATUS(200)                                                                                \
	STATUS(202)                                                                                \
	STATUS(204)                                                                                \
	STATUS(304)                                                                                \
	STATUS(400)                                                                                \
	STATUS(401)                                                                                \
	STATUS(402)                                                                                \
	STATUS(403)                                                                                \
	STATUS(404)                                                                                \
	STATUS(405)                                                                                \
	STATUS(409)                                                                                \
	STATUS(429)                                                                                \
	STATUS(500)                                                                                \
	STATUS(503)
enum counter_status {
#define COUNTER_STATUS(number) COUNTER_STATUS_##number,
	COUNTER_STATUSES(COUNTER_STATUS)
#undef COUNTER_STATUS
		COUNTER_STATUS_NONE, /* the client left before there was one */
	COUNTER_SIZE_STATUS
};
enum counter_end { /* as enum turn_end, less its first */
		   COUNTER_END_DONE,
		   COUNTER_END_REPLAYED,
		   COUNTER_END_LEFT,
		   COUNTER_END_STOPPED,
		   COUNTER_END_FAILED,
		   COUNTER_SIZE_END
};
enum counter_cause { /* as enum model_failure_kind */
		     COUNTER_CAUSE_UNREACHED,
		     COUNTER_CAUSE_REFUSED,
		     COUNTER_CAUSE_RESET,
		     COUNTER_CAUSE_LATE,
		     COUNTER_CAUSE_STATUS,
		     COUNTER_CAUSE_ERROR,
		     COUNTER_CAUSE_PROTOCOL,
		     COUNTER_SIZE_CAUSE
};
enum counter_way { /* as enum attempts_step, less its first */
		   COUNTER_WAY_AGAIN,
		   COUNTER_WAY_MOVE,
		   COUNTER_WAY_WITHOUT,
		   COUNTER_WAY_HALF,
		   COUNTER_WAY_BARE,
		   COUNTER_SIZE_WAY
};
enum counter_call { /* statements by their names; the last is any other */
		    COUNTER_CALL_BEGIN,
		    COUNTER_CALL_END,
		    COUNTER_CALL_RENEW,
		    COUNTER_CALL_HEALTH,
		    COUNTER_CALL_OTHER,
		    COUNTER_SIZE_CALL
};
enum counter_child {
	COUNTER_CHILD_WORKER,
	COUNTER_CHILD_ADMISSION,
	COUNTER_CHILD_STATUS,
	COUNTER_CHILD_STOPPER,
	COUNTER_SIZE_CHILD
};
enum counter_death {
	COUNTER_DEATH_EXIT, /* with a code that is not 0 */
	COUNTER_DEATH_SIGABRT,
	COUNTER_DEATH_SIGBUS,
	COUNTER_DEATH_SIGFPE,
	COUNTER_DEATH_SIGILL,
	COUNTER_DEATH_SIGKILL,
	COUNTER_DEATH_SIGSEGV,
	COUNTER_DEATH_SIGTERM,
	COUNTER_DEATH_SIGNAL, /* another */
	COUNTER_DEATH_STUCK,  /* by whatever signal: it had made no progress */
	COUNTER_SIZE_DEATH
};
enum counter_cap { COUNTER_CAP_ADDRESS, COUNTER_CAP_NEW, COUNTER_CAP_DAY, COUNTER_SIZE_CAP };
enum counter_part { COUNTER_PART_80, COUNTER_PART_100, COUNTER_SIZE_PART };
enum counter_use { COUNTER_USE_IN, COUNTER_USE_CACHED, COUNTER_USE_OUT, COUNTER_SIZE_USE };

/* How many values a set can have; of names the last one is all for which there was no room. */
enum { COUNTER_SIZE_ALL = 1, COUNTER_SIZE_ROUTE = 40, COUNTER_SIZE_SERVER = 24 };

enum counter_set {
	COUNTER_SET_ALL, /* it is counted by nothing */
	COUNTER_SET_ROUTE,
	COUNTER_SET_SERVER,
	COUNTER_SET_STATUS,
	COUNTER_SET_END,
	COUNTER_SET_CAUSE,
	COUNTER_SET_WAY,
	COUNTER_SET_CALL,
	COUNTER_SET_CHILD,
	COUNTER_SET_DEATH,
	COUNTER_SET_USE,
	COUNTER_SET_CAP,
	COUNTER_SET_PART,
	COUNTER_SETS
};

/*
 * ROW(constant, name, kind, set, set, help): a counter is one row. The help is one line, without a
 * full stop. What is added for each token stands first.
 */
#define COUNTER_ROWS(ROW)                                                                          \
	ROW(TOKENS, "tokens", TOTAL, ALL, ALL, "pieces of answers that were passed on")            \
	ROW(STREAMS, "streams_open", GAUGE, ALL, ALL, "streams that run now")                      \
	ROW(GAPS, "token_gap", SECONDS, ALL, ALL,                                                  \
	    "from a piece of an answer to the next one that was passed on")                        \
	ROW(FIRST, "first_token", SECONDS, ALL, ALL,                                               \
	    "from an exchange's beginning to the first piece of its answer")                       \
	ROW(TIMES, "exchange", SECONDS, ALL, ALL, "from an exchange's beginning to its end")       \
	ROW(BEGUN, "exchanges_begun", TOTAL, ALL, ALL,                                             \
	    "exchanges that were recorded, those that are not over and those that a dead worker "  \
	    "left too")                                                                            \
	ROW(EXCHANGES, "exchanges", TOTAL, END, ALL, "exchanges that came to an end, by it")       \
	ROW(REQUESTS, "requests", TOTAL, ROUTE, STATUS,                                            \
	    "requests that were answered, refused ones and those of the status listener too")      \
	ROW(LISTENERS, "listeners_open", GAUGE, ALL, ALL,                                          \
	    "clients that hear an answer now that another process gives")                          \
	ROW(WAITS, "queue_wait", SECONDS, ALL, ALL,                                                \
	    "how long requests waited for a worker, of those that found none idle and were "       \
	    "served")                                                                              \
	ROW(REFUSED, "requests_refused", TOTAL, ALL, ALL,                                          \
	    "requests for which no worker was free in time")                                       \
	ROW(MODEL_REQUESTS, "model_requests", TOTAL, SERVER, ALL,                                  \
	    "requests to model servers, those that failed too")                                    \
	ROW(MODEL_FAILURES, "model_failures", TOTAL, SERVER, CAUSE,                                \
	    "those of them that failed, by cause")                                                 \
	ROW(MODEL_REQUESTS_AGAIN, "model_requests_again", TOTAL, WAY, ALL,                         \
	    "those of them that asked again, after one that failed, by what was changed")          \
	ROW(MODEL_TOKENS, "model_tokens", TOTAL, SERVER, USE,                                      \
	    "tokens as model servers count them, where they say")                                  \
	ROW(BREAKERS, "breakers_opened", TOTAL, SERVER, ALL,                                       \
	    "how often a model server's breaker opened")                                           \
	ROW(DATABASE, "database_call", SECONDS, CALL, ALL,                                         \
	    "calls to the database, connecting included")                                          \
	ROW(DATABASE_FAILURES, "database_failures", TOTAL, CALL, ALL,                              \
	    "those of them that failed, or had no answer in time")                                 \
	ROW(VISITORS_REFUSED, "visitors_refused", TOTAL, CAP, ALL,                                 \
	    "requests with a site key that were refused, by the cap that did it")                  \
	ROW(VISITOR_CAPS, "visitor_caps_used", TOTAL, PART, ALL,                                   \
	    "how often a chatbot's visitors came to that percentage of what they may in a day")    \
	ROW(DEATHS, "deaths", TOTAL, CHILD, DEATH,                                                 \
	    "processes of the pool that died, by cause; who ended as it was told did not")

enum counter {
#define COUNTER_CONSTANT(constant, name, kind, a, b, help) COUNTER_##constant,
	COUNTER_ROWS(COUNTER_CONSTANT)
#undef COUNTER_CONSTANT
		COUNTERS
};

#define COUNTER_WORDS_TOTAL 1
#define COUNTER_WORDS_GAUGE 1
#define COUNTER_WORDS_SECONDS (COUNTER_BOUND_COUNT + 2) /* the last one is the sum */

/* Where each row's words begin in a slot. */
enum counter_word {
#define COUNTER_WORD(constant, name, kind, a, b, help)                                             \
	COUNTER_AT_##constant,                                                                     \
		COUNTER_LAST_##constant =                                                          \
			COUNTER_AT_##constant +                                                    \
			COUNTER_SIZE_##a * COUNTER_SIZE_##b * COUNTER_WORDS_##kind - 1,
	COUNTER_ROWS(COUNTER_WORD)
#undef COUNTER_WORD
		COUNTER_WORDS
};

struct counter_entry {
	const char *name; /* lower-case letters and _ */
	enum counter_kind kind;
	enum counter_set a, b;
	const char *help;
};
const struct counter_entry *counter_entry_at(enum counter counter);

/* One process's; cache lines of its own, so that no worker slows another. */
struct counter_slot {
	alignas(64) _Atomic uint64_t values[COUNTER_WORDS];
	_Atomic uint32_t used; /* else nobody looks at it */
	_Atomic int32_t pid;   /* whose the gauges are */
};

/* Where rows stand, once more: known while compiling, so that an adding is an addition. */
static const struct counter_place {
	uint16_t at;
	uint8_t step; /* words of one value */
	uint8_t b;    /* values of the second set */
} counter_places[COUNTERS] = {
#define COUNTER_PLACE(constant, name, kind, a, b, help)                                            \
	{ COUNTER_AT_##constant, COUNTER_WORDS_##kind, COUNTER_SIZE_##b },
	COUNTER_ROWS(COUNTER_PLACE)
#undef COUNTER_PLACE
};

static inline unsigned counter_word_of(enum counter counter, unsigned a, unsigned b)
{
	const struct counter_place *place = &counter_places[counter];

	return place->at + (a * place->b + b) * place->step;
}

/* `a` and `b` are values of the row's sets, 0 where it is counted by nothing. */
static inline void counter_add_at(struct counter_slot *slot, enum counter counter, unsigned a,
				  unsigned b, uint64_t n)
{
	atomic_fetch_add_explicit(&slot->values[counter_word_of(counter, a, b)], n,
				  memory_order_relaxed);
}

static inline void counter_add(struct counter_slot *slot, enum counter counter, uint64_t n)
{
	counter_add_at(slot, counter, 0, 0, n);
}

/* Of a COUNTER_GAUGE. */
static inline void counter_put(struct counter_slot *slot, enum counter counter, uint64_t value)
{
	atomic_store_explicit(&slot->values[counter_word_of(counter, 0, 0)], value,
			      memory_order_relaxed);
}

/* Of COUNTER_SECONDS: it took so long, `n` times. */
void counter_took(struct counter_slot *slot, enum counter counter, unsigned a, int64_t us,
		  uint64_t n);

/* What the process of that slot and those before it counted of a row in all; of COUNTER_SECONDS, how often. */
uint64_t counter_read(const struct counter_slot *slot, enum counter counter);

struct counter_table;

/*
 * `count` slots. `file` NULL: anonymous memory, to be made before fork. Else that file, as
 * shared_memory_open() does it, and what other processes counted there is in it; *why as there.
 *   STATUS_NOMEM, STATUS_FAILED
 */
enum status counter_table_open(const char *file, uint32_t count, struct counter_table **out,
			       const char **why) MUST_CHECK;
/* The same file, to be read only, by whoever may. STATUS_NOMEM; STATUS_FAILED: *why says why. */
enum status counter_table_look(const char *file, uint32_t count, struct counter_table **out,
			       const char **why) MUST_CHECK;
void counter_table_close(struct counter_table *table); /* NULL is fine; a file's content stays */
/* `index` below `count`. */
struct counter_slot *counter_table_slot(struct counter_table *table, uint32_t index);
/* Over all slots, as counter_read(). */
uint64_t counter_table_sum(const struct counter_table *table, enum counter counter);
/* One word of a row over all slots, `part` of those of the values `a` and `b`. */
uint64_t counter_table_sum_at(const struct counter_table *table, enum counter counter, unsigned a,
			      unsigned b, unsigned part);

/* How many values a set has at most; what its label is called ("": it has none). */
unsigned counter_set_size(enum counter_set set);
const char *counter_set_label(enum counter_set set);
/* Its i-th value; NULL: there is none yet. */
const char *counter_set_value(const struct counter_table *table, enum counter_set set, unsigned i);
/*
 * Which value of a set of names that one is; made if there is none and room, else the last one. Of two
 * processes that make one at the same time both may: who reads takes values of one name together.
 */
unsigned counter_name(struct counter_table *table, enum counter_set set, struct str name);

/* Where a process counts. */
struct counters {
	struct counter_table *table; /* NULL: nowhere */
	struct counter_slot *slot;
};
/* That slot is this process's from now on; its gauges are 0. */
struct counters counter_table_take(struct counter_table *table, uint32_t index);

#endif
