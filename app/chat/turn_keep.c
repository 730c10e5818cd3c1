/*
 * The lease, and the stop poll of a worker that has no stopper (pool/stopper). One statement at a time,
 * on the worker's connection: the lease's comes first.
 */
#include "chat/turn_keep.h"

#include "base/clock.h"
#include "base/hot.h"

void turn_keep_begin(struct turn *turn)
{
	const struct turn_context *context = turn->context;
	int64_t now = clock_ms();

	turn->renew_at = now + context->config->lease_ms / 3;
	turn->ask_at = context->alone ? now + STOPS_MS : CLOCK_NEVER;
	turn->asking = false;
	stops_init(&turn->stops);
	running_begin(context->wait->running, turn->begin.key.workspace, turn->begin.exchange);
}

void turn_keep_end(struct turn *turn)
{
	running_over(turn->context->wait->running);
	stops_clear(&turn->stops);
}

HOT int64_t turn_keep_at(const struct turn *turn)
{
	return clock_earlier(turn->renew_at, turn->ask_at);
}

static enum status renew(struct turn *turn, int64_t now)
{
	const struct turn_context *context = turn->context;
	int64_t most = clock_earlier(context->config->database_ms, context->config->lease_ms / 3);

	/* One that has no answer by then is begun anew, on a new connection. */
	turn->renew_at = now + most;
	turn->ask_at = clock_later(turn->ask_at, now + STOPS_MS);
	turn->asking = false;
	store_renew(&turn->beside, turn->begin.key.workspace, turn->begin.exchange,
		    context->config->lease_ms, most);
	return db_start(context->db, context->wait, &turn->beside);
}

static enum status ask(struct turn *turn, int64_t now)
{
	const struct turn_context *context = turn->context;
	enum status status;

	turn->ask_at = now + STOPS_MS;
	if (db_busy(context->db))
		return STATUS_OK;
	turn->asking = true;
	stops_reset(&turn->stops);
	stops_add(&turn->stops, turn->begin.key.workspace, turn->begin.exchange);
	status = stops_put(&turn->stops, &turn->beside);
	return status ? status : db_start(context->db, context->wait, &turn->beside);
}

/* When the next one of that kind is due, after this one has failed or was answered. */
static void put_off(struct turn *turn, int64_t now, enum status status)
{
	int64_t lease_ms = turn->context->config->lease_ms;

	if (turn->asking)
		turn->ask_at = now + (status ? STOPS_FAILED_MS : STOPS_MS);
	else
		turn->renew_at = now + (status ? lease_ms / 10 : lease_ms / 3);
}

/* False: the exchange is gone. */
static bool see_answer(struct turn *turn, const struct db_rows *rows)
{
	struct running *running = turn->context->wait->running;

	if (!turn->asking)
		return db_rows_boolean(rows, 0, 0);
	if (db_rows_count(rows) && running)
		running_end(running, atomic_load(&running->number));
	return true;
}

HOT bool turn_keep(struct turn *turn)
{
	const struct turn_context *context = turn->context;
	enum status status = STATUS_OK;
	struct db_rows *rows = NULL;
	int64_t now = clock_ms();
	bool done = false, kept;

	if (now >= turn->renew_at)
		status = renew(turn, now);
	else if (now >= turn->ask_at)
		status = ask(turn, now);
	if (status == STATUS_OK && db_busy(context->db))
		status = db_step(context->db, context->wait, &done, &rows);
	if (status || done)
		put_off(turn, now, status);
	kept = !rows || see_answer(turn, rows);
	db_rows_free(rows);
	return kept;
}
