/*
 * The master's loop: what came is told to the state machine (master.c), and what that decides is
 * done. The workers themselves are children.c's.  Rests on base/wait, the only place where signals
 * come through.
 */
#include "pool/pool.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "edge/db.h"
#include "pool/master_decide.h"
#include "pool/plan.h"
#include "pool/pool_internal.h"
#include "pool/reload.h"
#include "pool/systemd.h"
#include "pool/takeover.h"
#include "pool/teller.h"

#define FAILED_MS 20 /* a wait that failed is not repeated sooner */
#define FIXED_CAP 4096

enum status pool_load(const struct settings *settings, struct config *out, struct buf *why)
{
	struct config config;
	enum status status = settings_load(settings, &config, why);

	if (status != STATUS_OK)
		return status;
	status = db_url_check(config.database_url);
	if (status == STATUS_INVALID)
		buf_puts(why, "BANTER_DATABASE_URL cannot be read; is all of its password escaped "
			      "or quoted?");
	if (status != STATUS_OK) {
		config_clear(&config);
		return status;
	}
	*out = config;
	return STATUS_OK;
}

void pool_open_log(const struct config *config)
{
	log_open_at("banter", (enum log_level)config->log_level, config->log);
}

void pool_name_workers(struct config_range workers, char out[POOL_WORKERS_SIZE])
{
	int n = snprintf(out, POOL_WORKERS_SIZE, "%" PRId64, workers.least);

	if (workers.most > workers.least)
		snprintf(out + n, POOL_WORKERS_SIZE - (size_t)n, ":%" PRId64, workers.most);
}

static void watch(struct pool *pool, enum pool_slot slot, int fd)
{
	if (fd >= 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0)
		wait_watch(&pool->wait, (int)slot, fd, POLLIN);
}

static void begin_drain(struct pool *pool, int64_t now)
{
	struct master *master = &pool->children.master;
	int64_t patience = pool->config->queue_ms ? pool->config->queue_ms : CLOCK_NEVER;

	systemd_stopping();
	log_info("draining: up to %.1f s; workers: %u", (double)pool->config->drain_ms / 1000,
		 master_count(master, CHILD_WORKER).living);
	takeover_end(pool, WAIT_DRAIN, now);
	if (master->phase == MASTER_SERVING) /* else the queue is another pool's */
		children_close(&pool->children);
	master_drain(master, patience, now);
	watch(pool, SLOT_STATUS, pool->children.sockets.status_fd);
}

/*
 * No worker takes these any more: the web server is to know at once, not when the last exchange has
 * ended, and before it has sent the request, which it may then give to another host. But an admission
 * process refuses first whom it finds there, and on a socket that outlives us they wait for the pool
 * that follows: for as long as anybody waits for a worker.
 */
static void turn_away(struct pool *pool, int64_t now)
{
	const struct children_sockets *sockets = &pool->children.sockets;
	const struct master *master = &pool->children.master;
	bool alone = !master_count(master, CHILD_ADMISSION).living;
	struct queue_entry entry;

	listener_turn_away(sockets->status_fd);
	/* After an upgrade they are the other pool's. */
	if (sockets->listen_fd >= 0 && alone)
		while (queue_take(pool->children.queue, &entry) == STATUS_OK)
			close(entry.fd);
	if (!master_turns_away(master, now) && (sockets->kept || !alone))
		return;
	if (sockets->kept)
		watch(pool, SLOT_LISTEN, sockets->listen_fd);
	else
		listener_refuse(sockets->listen_fd);
	listener_turn_away(sockets->listen_fd);
}

/* Does what the signals asked for. */
static void answer_signals(struct pool *pool, int64_t now)
{
	struct master *master = &pool->children.master;
	struct signals *signals = pool->signals;

	if (signals->child) {
		signals->child = 0;
		children_reap(&pool->children, now);
	}
	if (signals->status) {
		signals->status = 0;
		children_show(&pool->children, now);
	}
	if (signals->stop && master->phase < MASTER_DRAINING)
		begin_drain(pool, now);
	if (signals->stop == WAIT_NOW && master->phase < MASTER_HURRYING) {
		log_warn("told twice: what runs ends now");
		master_hurry(master);
		takeover_end(pool, WAIT_NOW, now);
	}
	if (signals->hurry) {
		signals->hurry = 0;
		log_warn("told twice: the workers are killed");
		master_kill(master);
		takeover_end(pool, WAIT_NOW, now);
	}
	teller_answer(&pool->children, pool->tell_fd);
	if (askers_came(&pool->askers))
		signals->reload = 1;
	if (master->phase != MASTER_SERVING)
		askers_tell(&pool->askers, CONTROL_FAILED, "the pool is ending");
	else if (signals->upgrade || (signals->reload && upgrade_due(pool->upgrade)))
		takeover_begin(pool, now);
	else if (signals->reload)
		reload_begin(pool);
	signals->upgrade = signals->reload = 0;
}

static void start(struct pool *pool, const struct master_decision *decision, int64_t now)
{
	if (children_start(&pool->children, decision->kind, decision->place, now) &&
	    !pool->refilling)
		pool->refilling = heap_fill();
}

static void kill_late(const struct pool *pool, const struct master_decision *decision)
{
	log_warn("%s %u (pid %d) did not end in its time: it is killed",
		 children_kind_name(decision->kind), decision->place,
		 (int)pool->children.all[decision->place].pid);
	children_tell(&pool->children, decision->place, SIGKILL);
}

static void end_stuck(const struct pool *pool, const struct master_decision *decision, int64_t now)
{
	const struct children *children = &pool->children;
	const struct stage *stage = &children->scoreboard->slots[decision->place].stage;
	const struct master_child *child = &children->master.all[decision->place];
	char request[STAGE_REQUEST_SIZE];

	stage_read_request(stage, request);
	log_error("%s %u (pid %d) %s for %.1f s: stage %s, request=%s; it is told to end; a "
		  "replacement starts in %.1f s",
		  children_kind_name(decision->kind), decision->place,
		  (int)children->all[decision->place].pid,
		  child->stopped ? "was stopped" : "made no progress", (double)decision->at / 1000,
		  stage_name(atomic_load(&stage->at)), *request ? request : "-",
		  (double)backoff_left(&children->master.backoffs[decision->kind], now) / 1000);
	children_tell(children, decision->place, signals_number(WAIT_DRAIN));
}

/*
 * Does what the state machine decides; returns when it wants to be asked again. False: all is over;
 * not while another master has exchanges: who ends us ends the service.
 */
static bool carry_out(struct pool *pool, int64_t now, int64_t *next)
{
	struct children *children = &pool->children;
	struct master_decision decision;

	for (;;) {
		decision = master_decide(&children->master, now);
		switch (decision.act) {
		case MASTER_START:
			start(pool, &decision, now);
			break;
		case MASTER_RETIRE:
			children_tell(children, decision.place, signals_number(WAIT_RETIRE));
			break;
		case MASTER_END:
			children_tell(children, decision.place, signals_number(WAIT_DRAIN));
			break;
		case MASTER_END_NOW:
			children_tell(children, decision.place, signals_number(WAIT_NOW));
			break;
		case MASTER_STUCK:
			end_stuck(pool, &decision, now);
			break;
		case MASTER_KILL:
			kill_late(pool, &decision);
			break;
		case MASTER_KILL_NOW:
			children_tell(children, decision.place, SIGKILL);
			break;
		case MASTER_READY:
			handover_ready(pool->handover);
			reload_done(pool);
			break;
		case MASTER_WAIT:
		case MASTER_OVER:
			*next = decision.act == MASTER_WAIT ? decision.at : CLOCK_NEVER;
			return decision.act == MASTER_WAIT || takeover_waits(pool);
		}
	}
}

static void open_all(struct pool *pool)
{
	pool->children.tools = pool->tools;
	pool->filling = heap_fill();
	pulse_init(&pool->pulse);
	askers_init(&pool->askers);
	if (control_listen(CONTROL_SHOW, &pool->tell_fd))
		pool->tell_fd = -1;
	pool->children.sockets = pool_sockets(pool);
	wait_watch(&pool->wait, SLOT_ASKERS, pool->askers.listen_fd, POLLIN);
	wait_watch(&pool->wait, SLOT_BELL, pool->children.bell, POLLIN);
	wait_watch(&pool->wait, SLOT_TELLER, pool->tell_fd, POLLIN);
	wait_watch(&pool->wait, SLOT_HANDOVER, pool->handover->fd, POLLIN);
	wait_watch(&pool->wait, SLOT_BEFORE, pool->handover->before, POLLIN);
	buf_init(&pool->fixed, FIXED_CAP);
}

static void close_all(struct pool *pool)
{
	askers_clear(&pool->askers);
	if (pool->tell_fd >= 0)
		close(pool->tell_fd);
	buf_clear(&pool->fixed);
	children_clear(&pool->children);
	heap_drain(pool->refilling);
	heap_drain(pool->filling);
}

int pool_run(struct config *config, struct settings *settings, struct worker_tools *tools,
	     struct listener *web, struct listener *status, struct signals *signals,
	     struct upgrade *upgrade, struct handover *handover)
{
	struct pool pool = {
		.config = config,
		.settings = settings,
		.signals = signals,
		.tools = tools,
		.web = web,
		.status = status,
		.askers = { .listen_fd = -1 },
		.upgrade = upgrade,
		.handover = handover,
		.owner = handover->fd < 0,
		.tell_fd = -1,
	};
	struct children_sockets sockets = pool_sockets(&pool);
	struct master_plan plan = plan_of(config, status->fd >= 0);
	enum status started;
	int64_t now, next;

	wait_init(&pool.wait);
	if (handover->fd >= 0)
		sockets.queue = handover->queue;
	started = children_init(&pool.children, config, &plan, &sockets, signals);
	if (started != STATUS_OK) {
		log_error("the workers' shared memory cannot be made: %s", status_name(started));
		return 1;
	}
	open_all(&pool);
	for (;;) {
		now = clock_ms();
		children_look(&pool.children, now); /* what a signal says begins only now */
		answer_signals(&pool, now);
		takeover_hear(&pool);
		if (!carry_out(&pool, now, &next))
			break;
		next = clock_earlier(next, takeover_look(&pool, now));
		children_say(&pool.children);
		if (pool.children.master.phase >= MASTER_DRAINING)
			turn_away(&pool, now);
		next = clock_earlier(next, pulse_beat(&pool.pulse, pool.children.scoreboard, now));
		if (wait_some(&pool.wait, next) == STATUS_FAILED)
			usleep(FAILED_MS * 1000);
	}
	log_info("drained");
	close_all(&pool);
	return 0;
}
