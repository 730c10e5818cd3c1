/* The table of counters, its sets, and the memory of their slots.  Rests on base/shared_memory. */
#include "base/counter.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "base/hot.h"
#include "base/shared_memory.h"

#define LAYOUT_VERSION 2

#define NAME_SIZE 64

/* A name is whole once `is` says so; one whose maker died meanwhile is nobody's for ever. */
enum name_is { NAME_FREE, NAME_BEGUN, NAME_WHOLE };

struct counter_named {
	_Atomic uint32_t is;
	char text[NAME_SIZE];
};

struct counter_memory {
	struct shared_layout layout; /* sizes: words, slots */
	struct counter_named routes[COUNTER_SIZE_ROUTE], servers[COUNTER_SIZE_SERVER];
	struct counter_slot slots[];
};

struct counter_table {
	struct counter_memory *memory;
	size_t bytes;
	uint32_t count; /* our own copy: the shared one is not to be believed for bounds */
};

static const int64_t bounds[COUNTER_BOUND_COUNT] = { COUNTER_BOUNDS };

const struct counter_entry *counter_entry_at(enum counter counter)
{
	static const struct counter_entry entries[COUNTERS] = {
#define COUNTER_ENTRY(constant, name, kind, a, b, help)                                            \
	{ name, COUNTER_##kind, COUNTER_SET_##a, COUNTER_SET_##b, help },
		COUNTER_ROWS(COUNTER_ENTRY)
#undef COUNTER_ENTRY
	};

	return &entries[counter];
}

/* clang-format off */
#define COUNTER_STATUS(number) #number,
static const char *const statuses[] = { COUNTER_STATUSES(COUNTER_STATUS) "none" };
#undef COUNTER_STATUS
static const char *const ends[] = { "done", "replayed", "left", "stopped", "failed" };
static const char *const causes[] = { "unreached", "refused", "reset", "late", "status", "error",
	"protocol" };
static const char *const ways[] = { "same", "another_server", "without_members", "half_history",
	"no_history" };
static const char *const calls[] = { "exchange_begin", "exchange_end", "lease_renew", "health",
	"other" };
static const char *const children[] = { "worker", "admission", "status", "stopper" };
static const char *const deaths[] = { "exit", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGKILL",
	"SIGSEGV", "SIGTERM", "signal", "stuck" };
static const char *const uses[] = { "in", "cached", "out" };
static const char *const caps[] = { "address", "new", "day" };
static const char *const parts[] = { "80", "100" };
/* clang-format on */

static const struct label_set {
	const char *label;
	unsigned size;
	const char *const *values; /* NULL: names */
} sets[COUNTER_SETS] = {
	[COUNTER_SET_ALL] = { "", COUNTER_SIZE_ALL, NULL },
	[COUNTER_SET_ROUTE] = { "route", COUNTER_SIZE_ROUTE, NULL },
	[COUNTER_SET_SERVER] = { "server", COUNTER_SIZE_SERVER, NULL },
	[COUNTER_SET_STATUS] = { "status", COUNTER_SIZE_STATUS, statuses },
	[COUNTER_SET_END] = { "end", COUNTER_SIZE_END, ends },
	[COUNTER_SET_CAUSE] = { "cause", COUNTER_SIZE_CAUSE, causes },
	[COUNTER_SET_WAY] = { "how", COUNTER_SIZE_WAY, ways },
	[COUNTER_SET_CALL] = { "call", COUNTER_SIZE_CALL, calls },
	[COUNTER_SET_CHILD] = { "process", COUNTER_SIZE_CHILD, children },
	[COUNTER_SET_DEATH] = { "cause", COUNTER_SIZE_DEATH, deaths },
	[COUNTER_SET_USE] = { "use", COUNTER_SIZE_USE, uses },
	[COUNTER_SET_CAP] = { "cap", COUNTER_SIZE_CAP, caps },
	[COUNTER_SET_PART] = { "percent", COUNTER_SIZE_PART, parts },
};

_Static_assert(COUNT(statuses) == COUNTER_SIZE_STATUS && COUNT(ends) == COUNTER_SIZE_END &&
		       COUNT(causes) == COUNTER_SIZE_CAUSE && COUNT(ways) == COUNTER_SIZE_WAY &&
		       COUNT(calls) == COUNTER_SIZE_CALL && COUNT(children) == COUNTER_SIZE_CHILD &&
		       COUNT(deaths) == COUNTER_SIZE_DEATH && COUNT(uses) == COUNTER_SIZE_USE &&
		       COUNT(caps) == COUNTER_SIZE_CAP && COUNT(parts) == COUNTER_SIZE_PART,
	       "a value a constant");

/* Which bound is the first that is not exceeded: a token comes within one of the first. */
static HOT unsigned within(int64_t us)
{
	unsigned i = 0;

	while (i < COUNTER_BOUND_COUNT && us > bounds[i])
		i++;
	return i;
}

HOT void counter_took(struct counter_slot *slot, enum counter counter, unsigned a, int64_t us,
		      uint64_t n)
{
	unsigned word = counter_word_of(counter, a, 0), i = within(us);

	atomic_fetch_add_explicit(&slot->values[word + i], n, memory_order_relaxed);
	atomic_fetch_add_explicit(&slot->values[word + COUNTER_BOUND_COUNT + 1],
				  us > 0 ? (uint64_t)us * n : 0, memory_order_relaxed);
}

static uint64_t read_word(const struct counter_slot *slot, unsigned word)
{
	return atomic_load_explicit(&slot->values[word], memory_order_relaxed);
}

uint64_t counter_read(const struct counter_slot *slot, enum counter counter)
{
	const struct counter_entry *entry = counter_entry_at(counter);
	unsigned step = counter_places[counter].step, word = counter_word_of(counter, 0, 0);
	unsigned values = sets[entry->a].size * sets[entry->b].size, i, part;
	uint64_t sum = 0;

	for (i = 0; i < values; i++)
		for (part = 0; part < step; part++)
			if (step == 1 || part <= COUNTER_BOUND_COUNT) /* not the sum of seconds */
				sum += read_word(slot, word + i * step + part);
	return sum;
}

/* Zeros are what it begins with. */
static bool fill(void *memory)
{
	return memory != NULL;
}

/* No boot id: what was counted before a reboot was counted all the same. */
static struct shared_layout layout_of(uint32_t count)
{
	struct shared_layout layout = shared_layout_of("banter-c", LAYOUT_VERSION,
						       sizeof(struct counter_memory) +
							       count * sizeof(struct counter_slot));

	layout.sizes[0] = COUNTER_WORDS;
	layout.sizes[1] = count;
	return layout;
}

typedef enum status (*open_fn)(const char *file, const struct shared_layout *layout, void **memory,
			       const char **why);

static enum status open_to_count(const char *file, const struct shared_layout *layout,
				 void **memory, const char **why)
{
	return shared_memory_open(file, layout, fill, memory, why);
}

static enum status open_table(open_fn open, const char *file, uint32_t count,
			      struct counter_table **out, const char **why)
{
	struct shared_layout layout = layout_of(count);
	struct counter_table *table = calloc(1, sizeof(*table));
	enum status status;
	void *memory = NULL;

	if (!table)
		return STATUS_NOMEM;
	status = open(file, &layout, &memory, why);
	if (status != STATUS_OK) {
		free(table);
		return status;
	}
	*table = (struct counter_table){ memory, layout.bytes, count };
	*out = table;
	return STATUS_OK;
}

enum status counter_table_open(const char *file, uint32_t count, struct counter_table **out,
			       const char **why)
{
	return open_table(open_to_count, file, count, out, why);
}

enum status counter_table_look(const char *file, uint32_t count, struct counter_table **out,
			       const char **why)
{
	return open_table(shared_memory_look, file, count, out, why);
}

void counter_table_close(struct counter_table *table)
{
	if (table)
		shared_memory_free(table->memory, table->bytes);
	free(table);
}

struct counter_slot *counter_table_slot(struct counter_table *table, uint32_t index)
{
	struct counter_slot *slot = &table->memory->slots[index];

	atomic_store_explicit(&slot->used, 1, memory_order_relaxed);
	return slot;
}

struct counters counter_table_take(struct counter_table *table, uint32_t index)
{
	struct counter_slot *slot = counter_table_slot(table, index);
	int i;

	for (i = 0; i < COUNTERS; i++)
		if (counter_entry_at((enum counter)i)->kind == COUNTER_GAUGE)
			counter_put(slot, (enum counter)i, 0);
	atomic_store(&slot->pid, getpid());
	return (struct counters){ table, slot };
}

/* Slots that nobody has ever taken are not looked at: that would take memory for them. */
static bool counts(const struct counter_slot *slot, enum counter_kind kind)
{
	pid_t pid;

	if (!atomic_load_explicit(&slot->used, memory_order_relaxed))
		return false;
	pid = atomic_load_explicit(&slot->pid, memory_order_relaxed);
	return kind != COUNTER_GAUGE || (pid && (kill(pid, 0) == 0 || errno != ESRCH));
}

uint64_t counter_table_sum(const struct counter_table *table, enum counter counter)
{
	enum counter_kind kind = counter_entry_at(counter)->kind;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < table->count; i++)
		if (counts(&table->memory->slots[i], kind))
			sum += counter_read(&table->memory->slots[i], counter);
	return sum;
}

uint64_t counter_table_sum_at(const struct counter_table *table, enum counter counter, unsigned a,
			      unsigned b, unsigned part)
{
	enum counter_kind kind = counter_entry_at(counter)->kind;
	unsigned word = counter_word_of(counter, a, b) + part;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < table->count; i++)
		if (counts(&table->memory->slots[i], kind))
			sum += read_word(&table->memory->slots[i], word);
	return sum;
}

unsigned counter_set_size(enum counter_set set)
{
	return sets[set].size;
}

const char *counter_set_label(enum counter_set set)
{
	return sets[set].label;
}

static struct counter_named *names_of(const struct counter_table *table, enum counter_set set)
{
	return set == COUNTER_SET_ROUTE ? table->memory->routes : table->memory->servers;
}

const char *counter_set_value(const struct counter_table *table, enum counter_set set, unsigned i)
{
	const struct counter_named *name;

	if (sets[set].values || set == COUNTER_SET_ALL)
		return sets[set].values ? sets[set].values[i] : "";
	if (i == sets[set].size - 1)
		return "other";
	name = &names_of(table, set)[i];
	return atomic_load(&name->is) == NAME_WHOLE ? name->text : NULL;
}

unsigned counter_name(struct counter_table *table, enum counter_set set, struct str name)
{
	struct counter_named *all = names_of(table, set);
	unsigned last = sets[set].size - 1, i;
	uint32_t is;

	if (name.n >= NAME_SIZE)
		return last;
	for (i = 0; i < last; i++) {
		is = atomic_load(&all[i].is);
		/* What is there is only read: to try to change it would take its line from all others. */
		if (is == NAME_FREE &&
		    atomic_compare_exchange_strong(&all[i].is, &is, NAME_BEGUN)) {
			snprintf(all[i].text, NAME_SIZE, "%.*s", (int)name.n, name.p);
			atomic_store(&all[i].is, NAME_WHOLE);
			return i;
		}
		if (is == NAME_WHOLE && str_equal(str_from(all[i].text), name))
			return i;
	}
	return last;
}
