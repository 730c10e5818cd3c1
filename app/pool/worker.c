/* The accept loop: one request at a time, from accept to finish. */
#include "pool/worker.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/wait.h"
#include "chat/breaker.h"
#include "chat/model.h"
#include "chat/store.h"
#include "edge/db.h"
#include "edge/gateway.h"
#include "http/serve.h"

#define SPARE_BYTES (1 << 20) /* what an exchange takes, with a usual answer */

void worker_tools_clear(struct worker_tools *tools)
{
	model_free(tools->model);
	db_free(tools->db);
	*tools = (struct worker_tools){ .db = NULL };
}

enum status worker_tools_init(struct worker_tools *tools, const struct config *config)
{
	enum status status = STATUS_OK;

	if (!tools->db)
		status = store_connect(config, &tools->db);
	if (status == STATUS_OK && !tools->model)
		status = model_new(config, &tools->model);
	if (status != STATUS_OK)
		worker_tools_clear(tools);
	return status;
}

/* What a worker that is told to stop lets go of, while its last exchange runs. */
struct leaving {
	const struct worker_setup *setup;
	struct gateway *gateway;
};

/* We accept nothing more: a socket that nobody serves is to refuse, and another pool may have it. */
static void leave(void *context)
{
	const struct leaving *leaving = context;

	gateway_leave(leaving->gateway);
	close(leaving->setup->listen_fd);
	if (leaving->setup->queue && !atomic_load(leaving->setup->closing))
		queue_close(leaving->setup->queue);
	if (leaving->setup->let_go)
		leaving->setup->let_go(leaving->setup->shown);
}

static enum status open_context(const struct worker_setup *setup, struct wait *wait,
				struct breaker *breaker, struct http_context *context)
{
	const struct config *config = setup->config;
	enum status status = STATUS_OK;

	if (!setup->tools->model)
		status = worker_tools_init(setup->tools, config);
	breaker_init(breaker, setup->models, config, setup->limit, setup->holder, setup->counters);
	wait_init(wait);
	wait->stop = setup->stop;
	wait->drain_ms = config->drain_ms;
	wait->stage = &setup->slot->stage;
	wait->running = &setup->slot->running;
	wait->counters = &setup->counters;
	*context = (struct http_context){
		.duty = setup->duty,
		.config = config,
		.wait = wait,
		.breaker = breaker,
		.alone = setup->caller_pool,
		.broadcast = setup->broadcast,
		.limit = setup->limit,
		.holder = setup->holder,
		.door = setup->door,
		.show = setup->show,
		.shown = setup->shown,
		.db = setup->tools->db,
		.model = setup->tools->model,
	};
	if (status == STATUS_OK)
		status = gateway_new(setup->listen_fd, setup->caller_pool, config->request_ms,
				     config->write_ms, &context->gateway);
	if (status == STATUS_OK && setup->queue)
		status = gateway_join(context->gateway, setup->queue, setup->closing);
	if (status != STATUS_OK)
		return status;
	gateway_shun(context->gateway, setup->silent);
	db_take_turns(context->db, setup->throttle, setup->holder);
	model_remember(context->model, setup->models ? &setup->models->reasoning : NULL);
	return STATUS_OK;
}

static void tell_busy(const struct worker_setup *setup, bool busy)
{
	if (!setup->scoreboard)
		return;
	scoreboard_set_busy(setup->scoreboard, setup->slot, busy);
	if (busy && scoreboard_watch(setup->scoreboard))
		bell_ring(setup->watcher, 1);
}

/* How long it waited for a worker, if it did. */
static void count_wait(const struct worker_setup *setup, const struct http_context *context)
{
	int64_t waited = gateway_waited(context->gateway);

	if (waited > 0)
		counter_took(setup->counters.slot, COUNTER_WAITS, 0, waited * 1000, 1);
}

/*
 * Each fault of it was some request's; a process that cannot serve the next one makes room for one
 * that can.
 */
static enum status see_memory(void)
{
	if (heap_has_room(SPARE_BYTES))
		return STATUS_OK;
	log_error("there is no memory for another request: the worker ends");
	return STATUS_NOMEM;
}

/* Memory that is its own, shared with nobody but for copies on write; 0: not known. */
static int64_t own_bytes(void)
{
	long long resident = 0, shared = 0;
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) <= 0 ||
	    sscanf(text, "%*d %lld %lld", &resident, &shared) != 2)
		resident = shared = 0;
	close(fd);
	return (resident - shared) * sysconf(_SC_PAGESIZE);
}

static bool is_too_big(const struct config *config)
{
	int64_t most = config->worker_memory << 20, own = most ? own_bytes() : 0;

	if (own <= most)
		return false;
	log_info("this worker has %" PRId64 " MiB of its own: it makes room for another",
		 own >> 20);
	return true;
}

static enum status serve_all(const struct worker_setup *setup, struct http_context *context)
{
	int64_t served = 0, most = setup->config->worker_requests;
	struct wait *wait = context->wait;
	enum status status;

	while (!most || served < most) {
		stage_set(wait->stage, STAGE_IDLE);
		status = gateway_accept(context->gateway, wait);
		if (status == STATUS_OK) {
			tell_busy(setup, true);
			count_wait(setup, context);
			http_serve(context);
			gateway_finish(context->gateway, wait);
			stage_request(wait->stage, STR_NONE);
			tell_busy(setup, false);
			heap_slim();
			served++;
			if (is_too_big(setup->config))
				return STATUS_OK;
		} else if (status != STATUS_CLOSED) {
			return status;
		}
		status = see_memory();
		if (status)
			return status;
	}
	return STATUS_OK;
}

int worker_run(const struct worker_setup *setup)
{
	struct http_context context;
	struct leaving leaving = { .setup = setup };
	struct breaker breaker;
	struct wait wait;
	enum status status;

	status = open_context(setup, &wait, &breaker, &context);
	if (status == STATUS_OK) {
		leaving.gateway = context.gateway;
		wait.stopping = leave;
		wait.stopping_context = &leaving;
		status = serve_all(setup, &context);
	} else {
		log_error("a worker cannot start: %s", status_name(status));
	}
	gateway_free(context.gateway);
	return status == STATUS_OK || status == STATUS_STOPPED ? 0 : 1;
}
