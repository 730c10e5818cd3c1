/*
 * The master's loop: how many workers there are to be, of which settings, and when all is to end.
 * The workers themselves are children.c's.  Rests on base/wait, the only place where signals come
 * through.
 */
#include "pool/pool.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/wait.h"
#include "chat/limit.h"
#include "edge/db.h"
#include "pool/askers.h"
#include "pool/children.h"
#include "pool/systemd.h"

#define LOOK_MS 20 /* while workers are exchanged: how often we look whether a new one is ready */
#define WHY_CAP 4096

/*
 * The master's slots: its listening sockets, once no worker watches them, and who asks for a reload.
 */
enum pool_slot { SLOT_STATUS, SLOT_LISTEN, SLOT_ASKERS };

struct pool {
	struct config *config;
	struct settings *settings;
	struct signals *signals;
	struct listener *web, *status;
	struct wait wait;
	struct children children;
	struct worker_tools *tools; /* of `config` */
	struct heap_filling *filling;
	struct heap_filling
		*refilling; /* where the start's connection was, until the first worker took it */
	struct askers askers;
	struct buf fixed; /* what the last reload could not change: names; "": nothing */
	bool ready;	  /* all workers are up, and the service manager knows */
	bool unbound; /* a listening socket's file is gone, and the last reload could not help it */
	bool draining;
	int64_t away_at; /* while draining: from when on nobody may wait for a pool that follows */
};

enum status pool_load(const struct settings *settings, struct config *out, struct buf *why)
{
	struct config config;
	enum status status = settings_load(settings, &config, why);

	if (status != STATUS_OK)
		return status;
	if (!db_url_valid(config.database_url)) {
		buf_puts(why, "BANTER_DATABASE_URL cannot be read; is all of its password escaped "
			      "or quoted?");
		config_clear(&config);
		return STATUS_INVALID;
	}
	*out = config;
	return STATUS_OK;
}

void pool_open_log(const struct config *config)
{
	log_open_at("banter", (enum log_level)config->log_level, config->log);
}

static uint32_t workers_wanted(const struct pool *pool)
{
	/* One more place stays free, for exchanging them. */
	int64_t most = pool->children.places - CHILDREN_OTHERS - 1;

	return (uint32_t)(pool->config->workers < most ? pool->config->workers : most);
}

/* How many of a kind there are to be. */
static uint32_t wanted_of(const struct pool *pool, enum child_kind kind)
{
	switch (kind) {
	case CHILD_WORKER:
		return workers_wanted(pool);
	case CHILD_ADMISSION:
		return pool->config->queue_ms > 0;
	default:
		return pool->children.sockets.status_fd >= 0;
	}
}

/* Some settings are part of what is already open: they stay, and the new value is reported. */
static void keep_fixed(struct pool *pool, struct config *fresh)
{
	uint32_t most = pool->children.places - CHILDREN_OTHERS - 1;

	buf_reset(&pool->fixed);
	config_keep(fresh, pool->config, &pool->fixed);
	if (pool->fixed.len)
		log_warn("changed, but a restart is needed to change it: %s",
			 buf_text(&pool->fixed));
	if (fresh->workers > most)
		log_warn("BANTER_WORKERS: more than %u need a restart", most);
}

static struct children_sockets sockets_of(const struct pool *pool)
{
	return (struct children_sockets){
		.listen_fd = pool->web->fd,
		.status_fd = pool->status->fd,
		.kept = pool->web->kept,
		.file = pool->web->file,
	};
}

/* What nobody can connect to any more. Who came before is still served by the old workers. */
static void renew_listeners(struct pool *pool)
{
	const struct config *config = pool->config;
	enum status web = listener_renew(pool->web, config->listen, config);
	enum status status = listener_renew(pool->status, config->status_listen, config);

	/* One that cannot be bound again (logged) is as it was: the next reload may do it. */
	pool->unbound = web || status;
	pool->children.sockets = sockets_of(pool);
}

static void reload(struct pool *pool)
{
	struct config fresh;
	struct buf why;

	buf_init(&why, WHY_CAP);
	if (pool_load(pool->settings, &fresh, &why) != STATUS_OK) {
		log_error("the settings stay as they were: %s",
			  why.len ? buf_text(&why) : "no memory");
		askers_tell(&pool->askers, why.len ? CONTROL_WRONG : CONTROL_FAILED,
			    why.len ? buf_text(&why) : "no memory");
		goto out;
	}
	keep_fixed(pool, &fresh);
	heap_drain(pool->filling);
	worker_tools_clear(pool->tools);
	config_clear(pool->config);
	*pool->config = fresh;
	worker_tools_init(pool->tools, pool->config); /* where it fails, each worker says so */
	pool->filling = heap_fill();
	pool_open_log(pool->config);
	renew_listeners(pool);
	pool->children.generation++;
	pool->ready = false;
	systemd_reloading();
	log_info("the settings are loaded again: the workers are exchanged one by one");
out:
	buf_clear(&why);
}

/*
 * One step towards as many of a kind as are wanted, all of this generation. While old ones are
 * exchanged, a new one must be ready before the next old one is told to end: settings that no
 * worker can start with cost none of the old. Returns when to look again.
 */
static int64_t even_out(struct pool *pool, enum child_kind kind, int64_t now)
{
	uint32_t wanted = wanted_of(pool, kind);
	struct children_tally count;
	int64_t start_at;

	for (;;) {
		count = children_count(&pool->children, kind);
		if (count.old && count.starting)
			return now + LOOK_MS;
		if (count.old && count.fresh + count.old > wanted) {
			children_retire(&pool->children, kind, now);
			continue;
		}
		if (count.fresh >= wanted)
			return CLOCK_NEVER;
		if (!children_start(&pool->children, kind, now))
			break;
		if (!pool->refilling)
			pool->refilling = heap_fill();
	}
	/* Too early, or no place is free: then a death wakes us. */
	start_at = pool->children.pauses[kind].start_at;
	return now < start_at ? start_at : CLOCK_NEVER;
}

static void watch(struct pool *pool, enum pool_slot slot, int fd)
{
	if (fd >= 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0)
		wait_watch(&pool->wait, (int)slot, fd, POLLIN);
}

static void begin_drain(struct pool *pool, int64_t now)
{
	int64_t patience = pool->config->queue_ms;

	pool->draining = true;
	pool->away_at = now;
	if (pool->children.sockets.kept)
		pool->away_at = patience ? now + patience : CLOCK_NEVER;
	systemd_stopping();
	log_info("draining: up to %.1f s; workers: %u", (double)pool->config->drain_ms / 1000,
		 children_count(&pool->children, CHILD_WORKER).living);
	children_close(&pool->children, now);
	watch(pool, SLOT_STATUS, pool->children.sockets.status_fd);
}

/*
 * No worker takes these any more: the web server is to know at once, not when the last exchange has
 * ended. On a socket that outlives us they wait for the pool that follows, but not longer than
 * anybody waits for a worker. Returns when to look again.
 */
static int64_t turn_away(struct pool *pool, int64_t now)
{
	const struct children_sockets *sockets = &pool->children.sockets;
	struct queue_entry entry;

	listener_turn_away(sockets->status_fd);
	/* Whom an admission process held it refuses itself, if it lives. */
	if (!children_count(&pool->children, CHILD_ADMISSION).living)
		while (queue_take(pool->children.queue, &entry) == STATUS_OK)
			close(entry.fd);
	if (now < pool->away_at)
		return pool->away_at;
	watch(pool, SLOT_LISTEN, sockets->listen_fd);
	listener_turn_away(sockets->listen_fd);
	return CLOCK_NEVER;
}

/* Does what the signals asked for. */
static void answer_signals(struct pool *pool, int64_t now)
{
	struct signals *signals = pool->signals;

	if (signals->child) {
		signals->child = 0;
		children_reap(&pool->children, now);
	}
	if (signals->status) {
		signals->status = 0;
		children_show(&pool->children, now);
	}
	if (signals->stop && !pool->draining)
		begin_drain(pool, now);
	if (signals->hurry) {
		signals->hurry = 0;
		log_warn("told twice: the workers are killed");
		children_kill(&pool->children);
	}
	if (askers_came(&pool->askers))
		signals->reload = 1;
	if (signals->reload) {
		signals->reload = 0;
		if (!pool->draining)
			reload(pool);
	}
	if (pool->draining)
		askers_tell(&pool->askers, CONTROL_FAILED, "the pool is ending");
}

static void tell_done(struct pool *pool)
{
	char text[WHY_CAP];

	if (pool->unbound) {
		askers_tell(&pool->askers, CONTROL_FAILED,
			    "the settings are loaded again, but a socket's file is gone and could "
			    "not be made again; the pool's log says why");
		return;
	}
	snprintf(text, sizeof(text), "the settings are loaded again; workers: %u%s%s",
		 workers_wanted(pool),
		 pool->fixed.len ? "; changed, but a restart is needed to change it: " : "",
		 buf_text(&pool->fixed));
	askers_tell(&pool->askers, CONTROL_DONE, text);
}

/* Says so once all workers are up, of this generation only; returns when to look again. */
static int64_t become_ready(struct pool *pool, int64_t now)
{
	struct children_tally count = children_count(&pool->children, CHILD_WORKER);

	if (pool->ready)
		return CLOCK_NEVER;
	if (count.old || count.starting || count.fresh < workers_wanted(pool))
		return now + LOOK_MS;
	pool->ready = true;
	systemd_ready();
	tell_done(pool);
	return CLOCK_NEVER;
}

/* All that are to be there; returns when to look again. */
static int64_t even_out_all(struct pool *pool, int64_t now)
{
	int64_t next = CLOCK_NEVER;
	int kind;

	for (kind = 0; kind < CHILD_KINDS; kind++)
		next = clock_earlier(next, even_out(pool, kind, now));
	return clock_earlier(next, become_ready(pool, now));
}

int pool_run(struct config *config, struct settings *settings, struct worker_tools *tools,
	     struct listener *web, struct listener *status, struct signals *signals)
{
	struct pool pool = {
		.config = config,
		.settings = settings,
		.signals = signals,
		.tools = tools,
		.web = web,
		.status = status,
	};
	struct children_sockets sockets = sockets_of(&pool);
	enum status started;
	int64_t now, next;

	wait_init(&pool.wait);
	started = children_init(&pool.children, config, &sockets, signals);
	if (started != STATUS_OK) {
		log_error("the workers' shared memory cannot be made: %s", status_name(started));
		return 1;
	}
	pool.children.tools = tools;
	pool.filling = heap_fill();
	askers_init(&pool.askers);
	wait_watch(&pool.wait, SLOT_ASKERS, pool.askers.listen_fd, POLLIN);
	buf_init(&pool.fixed, WHY_CAP);
	for (;;) {
		now = clock_ms();
		answer_signals(&pool, now);
		next = children_kill_late(&pool.children, now);
		if (pool.draining && !children_living(&pool.children))
			break;
		next = clock_earlier(next, pool.draining ? turn_away(&pool, now)
							 : even_out_all(&pool, now));
		if (wait_some(&pool.wait, next) == STATUS_FAILED)
			usleep(LOOK_MS * 1000);
	}
	log_info("drained");
	askers_clear(&pool.askers);
	buf_clear(&pool.fixed);
	children_clear(&pool.children);
	heap_drain(pool.refilling);
	heap_drain(pool.filling);
	return 0;
}
