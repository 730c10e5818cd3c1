/* The steps of an upgrade.  What the two masters say to each other is upgrade.c's and handover.c's. */
#include "pool/takeover.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pool/systemd.h"

/* The new program cannot start. */
static void stay(struct pool *pool)
{
	char text[UPGRADE_WORDS + 64];

	snprintf(text, sizeof(text), "the new program cannot start, and this one goes on: %s",
		 pool->upgrade->said);
	log_error("%s", text);
	systemd_ready();
	askers_tell(&pool->askers, CONTROL_FAILED, text);
}

/* Who asks for a reload, or what the pool does, is to ask the other one. */
static void be_silent(struct pool *pool)
{
	askers_clear(&pool->askers);
	wait_watch(&pool->wait, SLOT_ASKERS, -1, 0);
	if (pool->tell_fd >= 0)
		close(pool->tell_fd);
	pool->tell_fd = -1;
	wait_watch(&pool->wait, SLOT_TELLER, -1, 0);
}

/* It serves: our sockets are its own, and our children end when their exchanges have. */
static void leave(struct pool *pool)
{
	char text[128];

	atomic_store(&pool->children.scoreboard->followed, true);
	snprintf(text, sizeof(text), "the new program serves, as process %d",
		 (int)pool->upgrade->pid);
	log_info("%s; this one ends with its last exchange", text);
	systemd_main(pool->upgrade->pid);
	upgrade_done(pool->upgrade);
	askers_tell(&pool->askers, CONTROL_DONE, text);
	be_silent(pool);
	listener_let_go(pool->web);
	listener_let_go(pool->status);
	pool->children.sockets = pool_sockets(pool);
	master_leave(&pool->children.master);
}

void takeover_begin(struct pool *pool, int64_t now)
{
	struct upgrade_goods goods = {
		.web_fd = pool->web->fd,
		.status_fd = pool->status->fd,
		.listen = pool->config->listen,
		.status_listen = pool->config->status_listen,
		.kept = pool->web->kept,
		.queue = pool->children.queue,
	};

	if (pool->upgrade->fd >= 0)
		return; /* who asked hears what becomes of the one that runs */
	systemd_reloading();
	if (upgrade_start(pool->upgrade, pool->settings, &goods, now) == STATUS_OK)
		wait_watch(&pool->wait, SLOT_UPGRADE, pool->upgrade->fd, POLLIN);
	else
		stay(pool);
}

int64_t takeover_look(struct pool *pool, int64_t now)
{
	enum upgrade_state state = upgrade_look(pool->upgrade, now);

	if (state == UPGRADE_STARTING)
		return pool->upgrade->until;
	if (state == UPGRADE_NONE)
		return CLOCK_NEVER;
	wait_watch(&pool->wait, SLOT_UPGRADE, -1, 0);
	if (state == UPGRADE_DONE)
		leave(pool);
	else if (pool->children.master.phase == MASTER_SERVING)
		stay(pool);
	return now;
}

void takeover_end(struct pool *pool, enum wait_stop stop, int64_t now)
{
	upgrade_cancel(pool->upgrade, now + pool->config->drain_ms + MASTER_GRACE_MS);
	wait_watch(&pool->wait, SLOT_UPGRADE, pool->upgrade->fd, POLLIN);
	if (pool->owner)
		handover_tell(pool->handover, stop);
}

bool takeover_waits(struct pool *pool)
{
	bool stands = handover_stands(pool->handover);

	wait_watch(&pool->wait, SLOT_BEFORE, pool->handover->before, POLLIN);
	return (stands && pool->owner) || pool->upgrade->fd >= 0;
}

void takeover_hear(struct pool *pool)
{
	enum handover_word word = handover_look(pool->handover);

	takeover_waits(pool); /* one that has ended would wake us again and again */
	if (word == HANDOVER_NOTHING)
		return;
	if (!pool->owner) {
		pool->owner = true;
		listener_own(pool->web, pool->handover->kept, pool->config);
		listener_own(pool->status, false, pool->config);
		pool->children.sockets = pool_sockets(pool);
	}
	if (word == HANDOVER_GO) {
		handover_taken(pool->handover);
		return;
	}
	wait_watch(&pool->wait, SLOT_HANDOVER, -1, 0);
	pool->pulse.said[0] = '\0'; /* nobody heard it */
	log_info("taken over");
	if (pool->children.master.ready)
		systemd_ready();
}
