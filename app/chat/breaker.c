/*
 * The breakers' states and what moves them. Not for who is asked instead (attempts.c), nor for the
 * places themselves, which are limit.c's.  Rests on the memory of model_shared.c and on kill(2) to see
 * whether a prober lives.
 */
#include "chat/breaker.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "base/siphash.h"

#define TICK_MS 100
#define LEVEL_MOST 6 /* BREAKER_PAUSE_MS << 6 is beyond the longest */

static struct siphash add(struct siphash so_far, struct str text)
{
	return siphash_of((uint64_t[]){ so_far.low, so_far.high }, text);
}

/* Its id is of all that its settings say. */
static uint64_t id_of(const struct model_shared *shared, const struct model_server *server)
{
	const char *const texts[] = { server->name,    server->url, server->key,   server->headers,
				      server->members, server->ca,  server->models };
	const int64_t numbers[] = { server->connect_ms, server->first_ms, server->idle_ms,
				    server->open_most };
	struct siphash id = { shared->key[0], shared->key[1] };
	size_t i;

	for (i = 0; i < COUNT(texts); i++)
		id = add(id, str_from(texts[i]));
	id = add(id, (struct str){ (const char *)numbers, sizeof(numbers) });
	return id.low ? id.low : 1;
}

void breaker_init(struct breaker *breaker, struct model_shared *shared, const struct config *config,
		  struct limit *limit, uint32_t holder, struct counters counters)
{
	size_t i;

	*breaker = (struct breaker){
		.shared = shared,
		.config = config,
		.limit = limit,
		.holder = holder,
		.pid = getpid(),
		.counters = counters,
	};
	for (i = 0; shared && i < config->model_server_count; i++)
		breaker->ids[i] = id_of(shared, &config->model_servers[i]);
	/* What was not asked yet is shown as 0. */
	for (i = 0; counters.table && i < config->model_server_count; i++)
		counter_name(counters.table, COUNTER_SET_SERVER,
			     str_from(config->model_servers[i].name));
}

static struct breaker_entry *entry_of(const struct breaker *breaker,
				      const struct model_server *server)
{
	if (!breaker->shared)
		return NULL;
	return breaker_memory_get(&breaker->shared->breakers,
				  breaker->ids[server - breaker->config->model_servers]);
}

static uint32_t ticks(int64_t ms)
{
	return (uint32_t)((ms + TICK_MS - 1) / TICK_MS);
}

static int64_t until_of(struct breaker_state state)
{
	return (int64_t)state.until * TICK_MS;
}

static int64_t pause_of(unsigned level)
{
	return clock_earlier((int64_t)BREAKER_PAUSE_MS << level, BREAKER_PAUSE_MOST_MS);
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

/* Whether the next request may be the one that finds out. */
static bool is_due(struct breaker_state state, int64_t now)
{
	return now >= until_of(state) ||
	       (state.kind == BREAKER_PROBING && is_gone((pid_t)state.who));
}

/* Whether its places are counted. */
static bool has_places(const struct breaker *breaker, const struct model_server *server)
{
	return breaker->limit && breaker->shared && server->open_most;
}

static struct str place_of(const struct breaker *breaker, const struct model_server *server)
{
	return (struct str){ (const char *)&breaker->ids[server - breaker->config->model_servers],
			     sizeof(breaker->ids[0]) };
}

static bool take_place(struct breaker *breaker, const struct model_server *server)
{
	if (has_places(breaker, server) &&
	    !limit_hold(breaker->limit, breaker->holder, LIMIT_SERVER, place_of(breaker, server),
			server->open_most))
		return false;
	breaker->server = server;
	return true;
}

static void give_place(struct breaker *breaker)
{
	if (has_places(breaker, breaker->server))
		limit_give(breaker->limit, breaker->holder, LIMIT_SERVER,
			   place_of(breaker, breaker->server));
	breaker->server = NULL;
}

/* True: this process is the one that finds out. */
static bool take_probe(const struct breaker *breaker, struct breaker_entry *entry,
		       struct breaker_state state, const struct model_server *server, int64_t now)
{
	struct breaker_state probing = {
		.kind = BREAKER_PROBING,
		.level = state.level,
		.who = (uint32_t)breaker->pid,
		.until = ticks(now + server->connect_ms + server->first_ms),
	};

	return atomic_compare_exchange_strong(&entry->state, &state, probing);
}

enum breaker_answer breaker_enter(struct breaker *breaker, const struct model_server *server,
				  int64_t *until)
{
	struct breaker_state state = { .kind = BREAKER_CLOSED };
	struct breaker_entry *entry;
	int64_t now = clock_ms();

	if (!breaker)
		return BREAKER_YES;
	breaker_leave(breaker);
	entry = entry_of(breaker, server);
	if (entry)
		state = atomic_load(&entry->state);
	*until = until_of(state);
	if (state.kind != BREAKER_CLOSED && !is_due(state, now))
		return BREAKER_OPEN;
	if (!take_place(breaker, server))
		return BREAKER_FULL;
	if (state.kind == BREAKER_CLOSED)
		return BREAKER_YES;
	if (take_probe(breaker, entry, state, server, now))
		return BREAKER_PROBE;
	give_place(breaker);
	return BREAKER_OPEN;
}

bool breaker_insist(struct breaker *breaker, const struct model_server *server)
{
	int64_t until;

	switch (breaker_enter(breaker, server, &until)) {
	case BREAKER_YES:
	case BREAKER_PROBE:
		return true;
	case BREAKER_OPEN:
		return take_place(breaker, server);
	default:
		return false;
	}
}

void breaker_succeeded(struct breaker *breaker)
{
	static const struct breaker_state healthy = { .kind = BREAKER_CLOSED };
	struct breaker_entry *entry;
	struct breaker_state state;

	if (!breaker || !breaker->server || !breaker->shared)
		return;
	entry = entry_of(breaker, breaker->server);
	state = atomic_load(&entry->state);
	while (state.kind != BREAKER_CLOSED || state.who)
		if (atomic_compare_exchange_weak(&entry->state, &state, healthy)) {
			if (state.kind != BREAKER_CLOSED)
				log_info("model server %s answers again: its breaker is closed",
					 breaker->server->name);
			return;
		}
}

/* What a failure makes of it; the same: it changes nothing. */
static struct breaker_state after_failure(struct breaker_state state, pid_t pid, int64_t now)
{
	struct breaker_state next = state;

	if (state.kind == BREAKER_CLOSED && state.who + 1 < BREAKER_FAILURES) {
		next.who++;
	} else if (state.kind == BREAKER_CLOSED) {
		next = (struct breaker_state){ .kind = BREAKER_OPENED };
		next.until = ticks(now + pause_of(0));
	} else if (state.kind == BREAKER_PROBING && (pid_t)state.who == pid) {
		next.kind = BREAKER_OPENED;
		next.who = 0;
		next.level = state.level < LEVEL_MOST ? state.level + 1 : LEVEL_MOST;
		next.until = ticks(now + pause_of(next.level));
	}
	return next;
}

static void say_opened(struct breaker *breaker, struct breaker_state before,
		       struct breaker_state next, const char *cause)
{
	const char *name = breaker->server->name;
	int64_t pause_s = pause_of(next.level) / 1000;

	if (before.kind == BREAKER_PROBING) {
		log_info("model server %s still fails (%s): its breaker stays open for %" PRId64
			 " s",
			 name, cause, pause_s);
		return;
	}
	if (breaker->counters.table)
		counter_add_at(
			breaker->counters.slot, COUNTER_BREAKERS,
			counter_name(breaker->counters.table, COUNTER_SET_SERVER, str_from(name)),
			0, 1);
	log_warn("model server %s failed %d times in a row (%s): its breaker opens for %" PRId64
		 " s",
		 name, BREAKER_FAILURES, cause, pause_s);
}

void breaker_failed(struct breaker *breaker, const char *cause)
{
	struct breaker_state state, next;
	struct breaker_entry *entry;
	int64_t now = clock_ms();

	if (!breaker || !breaker->server || !breaker->shared)
		return;
	entry = entry_of(breaker, breaker->server);
	state = atomic_load(&entry->state);
	do
		next = after_failure(state, breaker->pid, now);
	while (!atomic_compare_exchange_weak(&entry->state, &state, next));
	if (next.kind == BREAKER_OPENED && state.kind != BREAKER_OPENED)
		say_opened(breaker, state, next, cause);
}

/* A probe that found out nothing: the next request may at once. */
static void give_probe(struct breaker *breaker)
{
	struct breaker_entry *entry = entry_of(breaker, breaker->server);
	struct breaker_state state, next;

	if (!entry)
		return;
	state = next = atomic_load(&entry->state);
	if (state.kind != BREAKER_PROBING || (pid_t)state.who != breaker->pid)
		return;
	next.kind = BREAKER_OPENED;
	next.who = 0;
	next.until = ticks(clock_ms() - TICK_MS);
	atomic_compare_exchange_strong(&entry->state, &state, next);
}

void breaker_leave(struct breaker *breaker)
{
	if (!breaker || !breaker->server)
		return;
	give_probe(breaker);
	give_place(breaker);
}

struct breaker_known breaker_look(struct model_shared *shared, struct limit *limit,
				  const struct model_server *server)
{
	uint64_t id = id_of(shared, server);
	struct breaker_entry *entry = breaker_memory_find(&shared->breakers, id);
	struct breaker_state state = { .kind = BREAKER_CLOSED };
	struct breaker_known look = { .requests = -1 };
	int64_t now = clock_ms();

	if (entry)
		state = atomic_load(&entry->state);
	look.kind = (enum breaker_kind)state.kind;
	if (state.kind == BREAKER_CLOSED)
		look.failures = state.who;
	else if (state.kind == BREAKER_OPENED)
		look.open_ms = now < until_of(state) ? until_of(state) - now : 0;
	else
		look.prober = state.who;
	if (limit && server->open_most)
		look.requests = limit_open_of(limit, LIMIT_SERVER,
					      (struct str){ (const char *)&id, sizeof(id) });
	return look;
}

void breaker_show(struct model_shared *shared, const struct config *config)
{
	struct breaker_known look;
	size_t i;

	for (i = 0; i < config->model_server_count; i++) {
		const char *name = config->model_servers[i].name;

		look = breaker_look(shared, NULL, &config->model_servers[i]);
		if (look.kind == BREAKER_CLOSED)
			log_info("model server %s: its breaker is closed; %u failures in a row",
				 name, look.failures);
		else if (look.kind == BREAKER_OPENED)
			log_info("model server %s: its breaker is open for %.1f s more", name,
				 (double)look.open_ms / 1000);
		else
			log_info("model server %s: its breaker is open; process %u finds out", name,
				 look.prober);
	}
}
