/* The reload's two ends; what is between them is the state machine's (master_decide.c). */
#include "pool/reload.h"

#include <stdio.h>

#include "base/log.h"
#include "pool/plan.h"
#include "pool/pool.h"
#include "pool/systemd.h"

#define WHY_CAP 4096

/* Some settings are part of what is already open: they stay, and the new value is reported. */
static void keep_fixed(struct pool *pool, struct config *fresh)
{
	uint32_t most = master_most(pool->children.places);

	buf_reset(&pool->fixed);
	config_keep(fresh, pool->config, &pool->fixed);
	if (pool->fixed.len)
		log_warn("changed, but a restart is needed to change it: %s",
			 buf_text(&pool->fixed));
	if (fresh->workers.most > most)
		log_warn("BANTER_WORKERS: more than %u need a restart", most);
}

/* What nobody can connect to any more. Who came before is still served by the old workers. */
static void renew_listeners(struct pool *pool)
{
	const struct config *config = pool->config;
	enum status web = listener_renew(pool->web, config->listen, config);
	enum status status = listener_renew(pool->status, config->status_listen, config);

	/* One that cannot be bound again (logged) is as it was: the next reload may do it. */
	pool->unbound = web || status;
	pool->children.sockets = pool_sockets(pool);
}

void reload_begin(struct pool *pool)
{
	struct master_plan plan;
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
	plan = plan_of(pool->config, pool->status->fd >= 0);
	master_reload(&pool->children.master, &plan);
	systemd_reloading();
	log_info("the settings are loaded again: the workers are exchanged one by one");
out:
	buf_clear(&why);
}

void reload_done(struct pool *pool)
{
	const struct master_plan *plan = &pool->children.master.plan;
	char text[WHY_CAP], workers[POOL_WORKERS_SIZE];

	if (pool->upgrade->fd >= 0)
		return; /* it has begun since, and what is waited for is what becomes of it */
	systemd_ready();
	if (pool->unbound) {
		askers_tell(&pool->askers, CONTROL_FAILED,
			    "the settings are loaded again, but a socket's file is gone and could "
			    "not be made again; the pool's log says why");
		return;
	}
	pool_name_workers((struct config_range){ plan->wanted[CHILD_WORKER], plan->most }, workers);
	snprintf(text, sizeof(text), "the settings are loaded again; workers: %s%s%s", workers,
		 pool->fixed.len ? "; changed, but a restart is needed to change it: " : "",
		 buf_text(&pool->fixed));
	askers_tell(&pool->askers, CONTROL_DONE, text);
}
