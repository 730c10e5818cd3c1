/*
 * One worker: the accept loop, one request at a time. The process behind the status listener is one
 * too, with one path to serve.
 */
#ifndef POOL_WORKER_H
#define POOL_WORKER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/status.h"
#include "chat/limit.h"
#include "chat/model_shared.h"
#include "edge/listen.h"
#include "edge/queue.h"
#include "http/serve.h"
#include "pool/scoreboard.h"
#include "wire/config.h"

/*
 * What each worker needs one of. Made before the fork: then a worker has of its own only what it
 * changes.
 */
struct worker_tools {
	struct db *db; /* not connected yet, or by the start, for one worker alone */
	struct model *model;
};

/*
 * What is there already stays. `config` must outlive them. As store_connect() and model_new(); after
 * a failure they are zeroed.
 */
enum status worker_tools_init(struct worker_tools *tools, const struct config *config);
void worker_tools_clear(struct worker_tools *tools); /* zeroed ones are fine */

struct worker_setup {
	const struct config *config;
	struct worker_tools *tools; /* of the same settings; zeroed: it makes its own */
	enum http_duty duty;
	int listen_fd;
	const struct listen_file *door; /* as in struct http_context */
	struct queue *queue;		/* whom the admission process holds; NULL: there is none */
	struct queue *silent; /* for whom it shall not wait (gateway_shun()); NULL: it waits */
	const _Atomic bool *closing; /* all workers end; with `queue` only */
	bool caller_pool; /* the listening socket came on fd 0: connections may be kept, their owner counts the workers, and no stopper is there */
	struct limit *limit;
	uint32_t holder;	       /* our place in `limit` */
	struct model_shared *models;   /* NULL: no model is asked */
	struct broadcast *broadcast;   /* our place in it is `holder`; NULL: nobody hears us */
	struct db_throttle *throttle;  /* our place in it is `holder`; NULL: none */
	struct scoreboard *scoreboard; /* where `slot` is; NULL: nobody looks at it */
	int watcher; /* a bell: the stopper is to watch from now on; with `scoreboard` */
	struct scoreboard_slot *slot;
	struct counters counters;
	http_show_fn show; /* as in struct http_context */
	const void *shown;
	/* Called with `shown` once it is told to stop, as wait.stopping. NULL: it has nothing to let go of. */
	void (*let_go)(const void *shown);
	const volatile sig_atomic_t *stop;
};

/*
 * Serves until told to stop, or until worker_requests are served. Returns the process's exit code:
 * 0 stopped or recycled, 1 cannot work (logged).
 */
int worker_run(const struct worker_setup *setup);

#endif
