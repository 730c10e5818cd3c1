/*
 * The stop poll of a pool.  Which exchanges run it reads in the scoreboard, whose ids go nowhere but to
 * the database; what is to end is written there, for that exchange alone, and the master, who knows
 * the processes, wakes its worker.
 */
#include "pool/stopper.h"

#include <unistd.h>

#include "base/bell.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"
#include "chat/stops.h"
#include "chat/store.h"
#include "edge/wait_slots.h"

#define LEAVE_MS 100	/* how often it is looked, once told to stop, whether all is over */
#define LINGER_MS 10000 /* the next exchange may find the connection of the last one */
#define FOREVER_MS (INT64_MAX / 4)

struct stopper {
	const struct stopper_setup *setup;
	struct wait wait;
	struct db *db; /* NULL: no connection is wanted */
	struct stops stops;
	int64_t ask_at;
	int64_t leave_at; /* when the connection is let go, if nothing runs until then */
};

static bool others_are_there(const struct stopper *stopper)
{
	const struct scoreboard *scoreboard = stopper->setup->scoreboard;
	const struct scoreboard_slot *slot = scoreboard->slots, *end = slot + scoreboard->count;

	for (; slot < end; slot++)
		if (slot != stopper->setup->slot && slot->kind == CHILD_STOPPER &&
		    atomic_load(&slot->pid) && atomic_load(&slot->stage.at) != STAGE_STARTING)
			return true;
	return false;
}

static bool is_over(const struct stopper *stopper)
{
	const struct stopper_setup *setup = stopper->setup;

	if (getppid() != setup->master || *setup->stop == WAIT_NOW)
		return true;
	return *setup->stop &&
	       (others_are_there(stopper) || !atomic_load(&setup->scoreboard->busy));
}

/* How many exchanges run. */
static uint32_t collect(struct stopper *stopper)
{
	const struct scoreboard *scoreboard = stopper->setup->scoreboard;
	struct running_exchange one;
	uint32_t i, count = 0;

	stops_reset(&stopper->stops);
	for (i = 0; i < scoreboard->count; i++)
		if (running_read(&scoreboard->slots[i].running, &one)) {
			stops_add(&stopper->stops, one.workspace, one.exchange);
			count++;
		}
	return count;
}

/* The exchange, if it still runs, is to end. */
static void end(struct scoreboard *scoreboard, int64_t workspace, struct str exchange)
{
	struct scoreboard_slot *slot = scoreboard->slots, *last = slot + scoreboard->count;
	struct running_exchange one;

	for (; slot < last; slot++)
		if (running_read(&slot->running, &one) && one.workspace == workspace &&
		    str_equal(str_from(one.exchange), exchange))
			running_end(&slot->running, one.number);
}

static enum status ask(struct stopper *stopper)
{
	const struct stopper_setup *setup = stopper->setup;
	enum status status = STATUS_OK;
	struct db_rows *rows = NULL;
	struct db_query query;
	struct str exchange;
	int64_t workspace;
	int i;

	if (!stopper->db) {
		status = store_connect(setup->config, &stopper->db);
		if (status)
			return status;
		db_take_turns(stopper->db, setup->throttle, setup->holder);
	}
	status = stops_put(&stopper->stops, &query);
	if (status == STATUS_OK)
		status = db_call(stopper->db, &stopper->wait, &query,
				 clock_ms() + setup->config->database_ms, &rows);
	for (i = 0; i < db_rows_count(rows); i++) {
		stops_row(rows, i, &workspace, &exchange);
		end(setup->scoreboard, workspace, exchange);
	}
	/* Each time anew: who was woken just before it waited has not seen it. */
	if (db_rows_count(rows))
		bell_ring(setup->bell, 1);
	db_rows_free(rows);
	return status;
}

static void let_go(struct stopper *stopper)
{
	db_free(stopper->db);
	stopper->db = NULL;
}

/* Asks, if it is time and something runs; when it is to be called again. */
static int64_t look(struct stopper *stopper, int64_t now)
{
	bool asked = now >= stopper->ask_at && collect(stopper) > 0;
	enum status status;

	if (asked) {
		status = ask(stopper);
		now = clock_ms();
		stopper->ask_at = now + (status ? STOPS_FAILED_MS : STOPS_MS);
		stopper->leave_at = now + LINGER_MS;
	} else if (now >= stopper->ask_at) {
		stopper->ask_at = now + STOPS_MS;
	}
	if (stopper->db && now >= stopper->leave_at)
		let_go(stopper);
	return stopper->ask_at;
}

/* Until a worker has a request: its exchange has a moment to itself before the first poll. */
static enum status rest(struct stopper *stopper)
{
	int64_t until = stopper->db ? stopper->leave_at : CLOCK_NEVER;
	enum status status;

	stage_set(stopper->wait.stage, STAGE_IDLE);
	status = wait_some(&stopper->wait, until);
	if (stopper->db && clock_ms() >= stopper->leave_at)
		let_go(stopper);
	stopper->ask_at = clock_ms() + STOPS_MS;
	return status;
}

static enum status stand(struct stopper *stopper)
{
	const struct stopper_setup *setup = stopper->setup;
	enum status status = STATUS_OK;
	int64_t now, next;

	stage_set(stopper->wait.stage, STAGE_IDLE);
	while ((status == STATUS_OK || status == STATUS_TIMEOUT) && !is_over(stopper)) {
		(void)bell_heard(setup->watcher);
		if (!*setup->stop && scoreboard_unwatch(setup->scoreboard)) {
			status = rest(stopper);
			continue;
		}
		stage_set(stopper->wait.stage, STAGE_WATCH);
		now = clock_ms();
		next = look(stopper, now);
		if (*setup->stop)
			next = clock_earlier(next, clock_ms() + LEAVE_MS);
		status = wait_some(&stopper->wait, next);
	}
	return status == STATUS_TIMEOUT || status == STATUS_STOPPED ? STATUS_OK : status;
}

int stopper_run(const struct stopper_setup *setup)
{
	struct stopper stopper = { .setup = setup };
	struct wait *wait = &stopper.wait;
	enum status status;

	wait_init(wait);
	wait->stop = setup->stop;
	wait->drain_ms = FOREVER_MS; /* as long as there is something to watch */
	wait->stage = &setup->slot->stage;
	wait->counters = &setup->counters;
	wait_watch(wait, WAIT_CLIENT, setup->watcher, POLLIN);
	stops_init(&stopper.stops);
	status = stand(&stopper);
	if (status)
		log_error("the stopper cannot go on: %s", status_name(status));
	db_free(stopper.db);
	stops_clear(&stopper.stops);
	return status ? 1 : 0;
}
