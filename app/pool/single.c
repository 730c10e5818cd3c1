/* A worker without a master.  Rests on the file form of what workers share. */
#include "pool/single.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/counter.h"
#include "base/log.h"
#include "chat/limit.h"
#include "chat/limit_file.h"
#include "chat/model_shared.h"
#include "edge/db_throttle.h"
#include "edge/shared_file.h"
#include "pool/scoreboard.h"
#include "pool/worker.h"

/* The files that all such workers share, and our place in them. */
struct single {
	struct limit *limit;
	uint32_t holder;
	struct counter_table *counters;
	struct model_shared *models;
	struct db_throttle *throttle;
	struct scoreboard *scoreboard; /* ours alone: there is no master that would look at it */
};

static enum status open_limits(struct single *single, const char *path)
{
	enum status status = limit_open(path, SHARED_FILE_WORKERS, &single->limit);

	if (status == STATUS_NOMEM)
		log_error("no memory for the shared limits");
	if (status != STATUS_OK)
		return status;
	status = limit_take_holder(single->limit, &single->holder);
	if (status != STATUS_OK)
		log_error("%d workers run already: no place in the shared limits is free",
			  SHARED_FILE_WORKERS);
	return status;
}

static enum status open_counters(struct single *single, const char *file, const char **why)
{
	return counter_table_open(file, SHARED_FILE_WORKERS, &single->counters, why);
}

static enum status open_models(struct single *single, const char *file, const char **why)
{
	return model_shared_open(file, &single->models, why);
}

static enum status open_throttle(struct single *single, const char *file, const char **why)
{
	return db_throttle_open(file, SHARED_FILE_WORKERS, &single->throttle, why);
}

static const struct part {
	const char *suffix; /* of its file's name */
	const char *whose;  /* in a log line: the %s' file */
	enum status (*open)(struct single *single, const char *file, const char **why);
} parts[] = {
	{ SHARED_FILE_COUNTERS, "counters", open_counters },
	{ ".models", "model servers", open_models },
	{ ".connects", "connecting workers", open_throttle },
};

/* What cannot be had with the others is had alone: it must not become an outage. */
static enum status open_part(struct single *single, const struct part *part, const char *path)
{
	const char *why = "no memory";
	enum status status = part->open(single, path, &why);

	if (status != STATUS_OK) {
		log_warn("the %s' file %s cannot be used: %s", part->whose, path, why);
		status = part->open(single, NULL, &why);
	}
	if (status != STATUS_OK)
		log_error("no memory for the %s", part->whose);
	return status;
}

static enum status open_shared(struct single *single, const struct config *config)
{
	enum status status;
	struct buf path;
	size_t stem, i;

	buf_init(&path, 8192);
	shared_file_name(config, &path);
	status = open_limits(single, buf_text(&path));
	stem = path.len;
	for (i = 0; i < COUNT(parts) && status == STATUS_OK; i++) {
		buf_truncate(&path, stem);
		buf_puts(&path, parts[i].suffix);
		status = open_part(single, &parts[i], buf_text(&path));
	}
	buf_clear(&path);
	if (status == STATUS_OK && scoreboard_new(1, &single->scoreboard) != STATUS_OK) {
		log_error("no memory for the scoreboard");
		status = STATUS_NOMEM;
	}
	return status;
}

/* Who asked for so many is to learn why there are others. */
static void see_workers(const struct config *config)
{
	struct config usual;

	if (config_init(&usual) != STATUS_OK)
		return;
	if (config->workers.least != usual.workers.least ||
	    config->workers.most != usual.workers.most)
		log_info("BANTER_WORKERS has no effect: whoever opened the socket starts the "
			 "workers");
	config_clear(&usual);
}

static int serve(const struct single *single, const struct config *config,
		 struct worker_tools *tools, int listen_fd, const struct signals *signals)
{
	struct worker_setup setup = {
		.config = config,
		.tools = tools,
		.listen_fd = listen_fd,
		.caller_pool = true,
		.limit = single->limit,
		.holder = single->holder,
		.models = single->models,
		.throttle = single->throttle,
		.slot = &single->scoreboard->slots[0],
		.counters = counter_table_take(single->counters, single->holder),
		.stop = &signals->stop,
	};
	int code;

	setup.slot->born = clock_ms();
	stage_set(&setup.slot->stage, STAGE_STARTING);
	atomic_store(&setup.slot->pid, getpid());
	code = worker_run(&setup);
	worker_tools_clear(tools); /* their turns to connect are in what is closed next */
	db_throttle_end(single->throttle, single->holder, DB_THROTTLE_FAILED);
	limit_release(single->limit, single->holder);
	return code;
}

int single_run(const struct config *config, struct worker_tools *tools, int listen_fd,
	       const struct signals *signals)
{
	struct single single = { .limit = NULL };
	int code = 1;

	see_workers(config);
	if (open_shared(&single, config) == STATUS_OK)
		code = serve(&single, config, tools, listen_fd, signals);
	scoreboard_free(single.scoreboard);
	db_throttle_close(single.throttle);
	model_shared_close(single.models);
	counter_table_close(single.counters);
	limit_close(single.limit);
	return code;
}
