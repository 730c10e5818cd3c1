/*
 * The lease, the stop poll of a worker that has no stopper (pool/stopper), and what follows when a
 * client leaves. One statement at a time, on the worker's connection: the lease's comes first.
 */
#include "chat/turn_keep.h"

#include "base/clock.h"
#include "base/hot.h"

/* How long it may take to find out what a client's leaving means: else it ends, as it mostly does. */
#define DECIDE_MS 1000

static enum status hear_nothing(struct sink *sink, const struct event *event)
{
	(void)sink;
	(void)event;
	return STATUS_OK;
}

static enum status flush_nothing(struct sink *sink)
{
	(void)sink;
	return STATUS_OK;
}

bool turn_keep_left(struct turn *turn)
{
	struct wait *wait = turn->context->wait;

	if (wait->left_context != turn)
		return false;
	if (turn->left)
		return true;
	turn->left = true;
	turn->nobody = (struct sink){ hear_nothing, flush_nothing };
	turn->sink = &turn->nobody;
	turn->left_at = clock_ms() + DECIDE_MS;
	turn->left_ms = -1;
	wait->beat = NULL;
	return true;
}

static bool on_left(void *context)
{
	return turn_keep_left(context);
}

void turn_keep_begin(struct turn *turn)
{
	const struct turn_context *context = turn->context;
	int64_t now = clock_ms();

	turn->renew_at = now + context->config->lease_ms / 3;
	turn->ask_at = context->alone ? now + STOPS_MS : CLOCK_NEVER;
	turn->left_at = CLOCK_NEVER;
	context->wait->left = on_left;
	context->wait->left_context = turn;
	stops_init(&turn->stops);
	running_begin(context->wait->running, turn->begin.key.workspace, turn->begin.exchange);
}

void turn_keep_end(struct turn *turn)
{
	struct wait *wait = turn->context->wait;

	wait->left = NULL;
	wait->left_context = NULL;
	running_over(wait->running);
	stops_clear(&turn->stops);
}

HOT int64_t turn_keep_at(const struct turn *turn)
{
	return clock_earlier(turn->left_at, clock_earlier(turn->renew_at, turn->ask_at));
}

static enum status renew(struct turn *turn, int64_t now)
{
	const struct turn_context *context = turn->context;
	int64_t most = clock_earlier(context->config->database_ms, context->config->lease_ms / 3);

	/* One that has no answer by then is begun anew, on a new connection. */
	turn->renew_at = now + most;
	turn->ask_at = clock_later(turn->ask_at, now + STOPS_MS);
	turn->beside_is = TURN_RENEWS;
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
	turn->beside_is = TURN_ASKS;
	stops_reset(&turn->stops);
	stops_add(&turn->stops, turn->begin.key.workspace, turn->begin.exchange);
	status = stops_put(&turn->stops, &turn->beside);
	return status ? status : db_start(context->db, context->wait, &turn->beside);
}

static enum status ask_leave(struct turn *turn)
{
	const struct turn_context *context = turn->context;

	if (db_busy(context->db))
		return STATUS_OK;
	turn->beside_is = TURN_LEAVES;
	store_leave(&turn->beside, turn->begin.key.workspace, turn->begin.exchange);
	return db_start(context->db, context->wait, &turn->beside);
}

/* When the next one of that kind is due, after this one has failed or was answered. */
static void put_off(struct turn *turn, int64_t now, enum status status)
{
	int64_t lease_ms = turn->context->config->lease_ms;

	if (turn->beside_is == TURN_LEAVES)
		turn->left_at = now; /* unless an answer says more */
	else if (turn->beside_is == TURN_ASKS)
		turn->ask_at = now + (status ? STOPS_FAILED_MS : STOPS_MS);
	else
		turn->renew_at = now + (status ? lease_ms / 10 : lease_ms / 3);
}

/* False: the exchange is gone. */
static bool see_answer(struct turn *turn, const struct db_rows *rows, int64_t now)
{
	struct running *running = turn->context->wait->running;

	if (turn->beside_is == TURN_RENEWS)
		return db_rows_boolean(rows, 0, 0);
	if (turn->beside_is == TURN_LEAVES) {
		turn->left_ms = db_rows_integer(rows, 0, 0, 0) * 1000;
		turn->left_at = now + turn->left_ms;
	} else if (db_rows_count(rows) && running) {
		running_end(running, atomic_load(&running->number));
	}
	return true;
}

/* Whether its client left, and its time without one is over: it begins anew while somebody listens. */
static bool is_left_alone(struct turn *turn, int64_t now)
{
	const struct turn_context *context = turn->context;

	if (now < turn->left_at)
		return false;
	if (turn->left_ms <= 0 || !broadcast_heard(context->broadcast, context->place))
		return true;
	turn->left_at = now + turn->left_ms;
	return false;
}

HOT enum status turn_keep(struct turn *turn)
{
	const struct turn_context *context = turn->context;
	enum status status = STATUS_OK;
	struct db_rows *rows = NULL;
	int64_t now = clock_ms();
	bool done = false, kept;

	if (now >= turn->renew_at)
		status = renew(turn, now);
	else if (turn->left && turn->left_ms < 0)
		status = ask_leave(turn);
	else if (now >= turn->ask_at)
		status = ask(turn, now);
	if (status == STATUS_OK && db_busy(context->db))
		status = db_step(context->db, context->wait, &done, &rows);
	if (status || done)
		put_off(turn, now, status);
	kept = !rows || see_answer(turn, rows, now);
	db_rows_free(rows);
	if (!kept)
		return STATUS_FAILED;
	return is_left_alone(turn, now) ? STATUS_CLOSED : STATUS_OK;
}

enum status turn_keep_decide(struct turn *turn)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK && turn->left && turn->left_ms < 0) {
		status = turn_keep(turn);
		if (status == STATUS_OK && turn->left_ms < 0)
			status = wait_some(turn->context->wait, turn_keep_at(turn));
		if (status == STATUS_TIMEOUT)
			status = STATUS_OK;
	}
	return status;
}
