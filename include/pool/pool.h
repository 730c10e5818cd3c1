/*
 * The master: forks the workers and those that help them, replaces the dead with a growing pause,
 * names cause, age and stage of a death, reloads the settings, drains. It never touches a request,
 * the database or the model, so that it outlives whatever fells a worker.
 */
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include "base/buf.h"
#include "base/status.h"
#include "edge/settings.h"
#include "pool/children.h"
#include "pool/handover.h"
#include "pool/listener.h"
#include "pool/signals.h"
#include "pool/upgrade.h"
#include "wire/config.h"

/*
 * settings_load(), and whether libpq can read BANTER_DATABASE_URL, which no other word of ours can
 * tell. Same results; `out` untouched on failure.
 */
enum status pool_load(const struct settings *settings, struct config *out,
		      struct buf *why) MUST_CHECK;
/* How many there are to be, in the setting's words: "16", "4:64". */
#define POOL_WORKERS_SIZE 48
void pool_name_workers(struct config_range workers, char out[POOL_WORKERS_SIZE]);
/* Points the log to where the settings say. */
void pool_open_log(const struct config *config);

/*
 * Runs until drained; listeners and tools stay the caller's. `config` is the running settings, of
 * which `tools` are; the first worker gets their connection to the database, if there is one; on SIGHUP
 * settings_load() is called again with `settings`, and a good result replaces *config and, one by
 * one, the workers; a listener whose file was removed is renewed. Returns the process's exit code: 0
 * drained; 1 the workers cannot start (logged).
 * `upgrade`: of this process; `handover`: what another master gave us, taken over once all workers
 * are up (HANDOVER_NONE: there is none).
 */
int pool_run(struct config *config, struct settings *settings, struct worker_tools *tools,
	     struct listener *web, struct listener *status, struct signals *signals,
	     struct upgrade *upgrade, struct handover *handover);

#endif
