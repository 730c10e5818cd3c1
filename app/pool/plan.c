/* Numbers of the settings, put together. */
#include "pool/plan.h"

#include "base/clock.h"

/* The most that any of the model servers has for one of its steps. */
static int64_t of_servers(const struct config *config, size_t offset)
{
	const char *server;
	int64_t most = 0;
	size_t i;

	for (i = 0; i < config->model_server_count; i++) {
		server = (const char *)&config->model_servers[i];
		most = clock_later(most, *(const int64_t *)(const void *)(server + offset));
	}
	return most;
}

/*
 * How long what a stage does may take without a step; whatever it is, one blocked write to the web server
 * may be a part of it. An idle worker, and the admission process, wait without end.
 */
static void set_silent(const struct config *config, int64_t silent[STAGE_COUNT])
{
	const int64_t own[STAGE_COUNT] = {
		[STAGE_REQUEST] = config->request_ms,
		[STAGE_BEGIN] = config->database_ms,
		[STAGE_CONNECT] = of_servers(config, offsetof(struct model_server, connect_ms)),
		[STAGE_FIRST] = of_servers(config, offsetof(struct model_server, first_ms)),
		[STAGE_STREAM] = of_servers(config, offsetof(struct model_server, idle_ms)),
		[STAGE_FINISH] = config->database_ms,
		[STAGE_WATCH] = config->database_ms,
	};
	int at;

	for (at = 0; at < STAGE_COUNT; at++)
		if (config->stuck_ms && at != STAGE_IDLE && at != STAGE_HOLD)
			silent[at] = clock_later(own[at], config->write_ms) + config->stuck_ms;
}

struct master_plan plan_of(const struct config *config, bool status)
{
	bool grows = config->workers.least < config->workers.most;
	struct master_plan plan = {
		.wanted = {
			[CHILD_WORKER] = (uint32_t)config->workers.least,
			[CHILD_ADMISSION] = config->queue_ms > 0 || grows,
			[CHILD_STATUS] = status,
			[CHILD_STOPPER] = 1,
		},
		.most = (uint32_t)config->workers.most,
		.idle_ms = config->worker_idle_ms,
		.times = {
			.drain = config->drain_ms,
			.longest = config->request_ms + clock_later(config->exchange_ms, config->json_ms),
			.stopped = config->stuck_ms,
		},
	};

	set_silent(config, plan.times.silent);
	return plan;
}
