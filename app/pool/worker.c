/* The accept loop: one request at a time, from accept to finish. */
#include "pool/worker.h"

#include "base/log.h"
#include "base/wait.h"
#include "chat/model.h"
#include "chat/store.h"
#include "edge/db.h"
#include "edge/gateway.h"
#include "http/serve.h"

static enum status open_parts(const struct worker_setup *setup, struct wait *wait,
			      struct http_parts *parts)
{
	const struct config *config = setup->config;
	enum status status;

	wait_init(wait);
	wait->stop = setup->stop;
	wait->drain_ms = config->drain_ms;
	wait->stage = &setup->slot->stage;
	*parts = (struct http_parts){
		.duty = setup->duty,
		.config = config,
		.wait = wait,
		.limit = setup->limit,
		.holder = setup->holder,
	};
	status = gateway_new(setup->listen_fd, setup->caller_pool, config->request_ms,
			     config->write_ms, &parts->gateway);
	if (status == STATUS_OK && setup->line)
		status = gateway_join(parts->gateway, setup->line, setup->closing);
	if (status == STATUS_OK)
		status = store_connect(config, &parts->db);
	if (status == STATUS_OK)
		status = model_new(config, &parts->model);
	return status;
}

static void close_parts(struct http_parts *parts)
{
	model_free(parts->model);
	db_free(parts->db);
	gateway_free(parts->gateway);
}

static void count(struct scoreboard_slot *slot, const struct http_parts *parts)
{
	atomic_fetch_add_explicit(&slot->requests, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&slot->tokens, (uint64_t)parts->log.tokens, memory_order_relaxed);
	if (parts->log.end != TURN_NONE)
		atomic_fetch_add_explicit(&slot->exchanges, 1, memory_order_relaxed);
}

static enum status serve_all(const struct worker_setup *setup, struct http_parts *parts)
{
	int64_t served = 0, most = setup->config->worker_requests;
	struct wait *wait = parts->wait;
	enum status status;

	while (!most || served < most) {
		stage_set(wait->stage, STAGE_IDLE);
		status = gateway_accept(parts->gateway, wait);
		if (status == STATUS_CLOSED)
			continue;
		if (status)
			return status;
		http_serve(parts);
		gateway_finish(parts->gateway, wait);
		count(setup->slot, parts);
		served++;
	}
	return STATUS_OK;
}

int worker_run(const struct worker_setup *setup)
{
	struct http_parts parts;
	struct wait wait;
	enum status status;

	status = open_parts(setup, &wait, &parts);
	if (status == STATUS_OK)
		status = serve_all(setup, &parts);
	else
		log_error("a worker cannot start: %s", status_name(status));
	close_parts(&parts);
	return status == STATUS_OK || status == STATUS_STOPPED ? 0 : 1;
}
