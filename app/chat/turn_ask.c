/* The loop over an exchange's model requests. Nothing is asked again once text came. */
#include "chat/turn_ask.h"

#include "base/clock.h"
#include "base/log.h"
#include "chat/turn_count.h"
#include "chat/turn_keep.h"

/*
 * A history of more than this may be why a server refuses what it does not explain: there are models
 * that take 2,048 tokens.
 */
#define LONG_MESSAGES 4
#define LONG_CHARS 4000
/* Seconds after which a client may try again where the model's server names no time that it would wait. */
#define RETRY_S 5
#define RETRY_MOST_S 3600
/* How often a server that has as many requests as it may is looked at again. */
#define PLACE_MS 100

/* True if the model's server failed, and nobody has heard anything of its answer yet. */
static bool may_ask_again(const struct turn *turn, enum status status)
{
	bool failed = status == STATUS_UNAVAILABLE || status == STATUS_TIMEOUT ||
		      status == STATUS_REFUSED || status == STATUS_INVALID;

	return failed && !turn->answer.len && !turn->context->wait->client_left;
}

/* Waits before a server is asked again, as long as the exchange goes on. */
static enum status pause_for(struct turn *turn, int64_t until)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK && clock_ms() < until) {
		status = turn_keep(turn);
		if (status)
			return status;
		status = wait_some(turn->context->wait, clock_earlier(until, turn_keep_at(turn)));
		if (status == STATUS_TIMEOUT)
			status = STATUS_OK;
	}
	return status;
}

static enum attempts_step next_step(struct turn *turn)
{
	struct attempts_room room = { .now = clock_ms(), .deadline = turn->deadline };
	int64_t chars;
	int messages = prompt_history(&turn->prompt, &chars);
	const char *id;

	room.history = messages > 0;
	room.long_history = messages > LONG_MESSAGES || chars > LONG_CHARS;
	for (id = turn->begin.exchange; *id; id++) /* random by itself */
		room.dice = room.dice * 31 + (unsigned char)*id;
	return attempts_failed(&turn->attempts, model_failed(turn->context->model), &room);
}

static void tell_step(const struct turn *turn, enum attempts_step step)
{
	static const char *const how[] = {
		[ATTEMPTS_END] = "",
		[ATTEMPTS_AGAIN] = "",
		[ATTEMPTS_MOVE] = " in another's place",
		[ATTEMPTS_WITHOUT] = " without what it does not take",
		[ATTEMPTS_HALF] = " with less of the history",
		[ATTEMPTS_BARE] = " with none of the history",
	};

	log_info("request=%.*s server=%s asked again%s: %s", STR_ARGS(turn->begin.request_id),
		 attempts_server(&turn->attempts)->name, how[step],
		 model_cause(turn->context->model));
}

/* Makes ready for what follows a failure. False: nothing does, or *status says why not. */
static bool ask_again(struct turn *turn, enum status *status)
{
	struct attempts *attempts = &turn->attempts;
	enum attempts_step step = next_step(turn);

	if (step == ATTEMPTS_END)
		return false;
	turn->step = step;
	tell_step(turn, step);
	model_stop(turn->context->model);
	while ((step == ATTEMPTS_HALF || step == ATTEMPTS_BARE) && prompt_halve(&turn->prompt))
		if (step == ATTEMPTS_HALF && attempts->requests < ATTEMPTS_MOST - 1)
			break;
	*status = pause_for(turn, attempts->pause_until);
	return *status == STATUS_OK;
}

/*
 * What became of a server is told to all who might ask it; once, however often this exchange tried:
 * one that no server can bear must not turn all others away.
 */
static void leave(struct turn *turn, enum status status)
{
	struct breaker *breaker = turn->context->breaker;
	const struct model *model = turn->context->model;

	if (status == STATUS_OK)
		breaker_succeeded(breaker);
	else if (may_ask_again(turn, status) &&
		 attempts_blame(&turn->attempts, model_failed(model)))
		breaker_failed(breaker, model_cause(model));
	breaker_leave(breaker);
}

/*
 * One of those that were passed over: one that may be asked by now, or, where not one is merely full,
 * the open one that is due first, all the same.
 */
static bool enter_passed(struct turn *turn)
{
	struct breaker *breaker = turn->context->breaker;
	struct attempts *attempts = &turn->attempts;
	int64_t until, first = CLOCK_NEVER;
	size_t i, due = attempts->count;
	enum breaker_answer answer;
	bool full = false;

	for (i = 0; i < attempts->count; i++) {
		if (!attempts_return(attempts, i))
			continue;
		answer = breaker_enter(breaker, attempts_server(attempts), &until);
		if (answer == BREAKER_YES || answer == BREAKER_PROBE)
			return true;
		full |= answer == BREAKER_FULL;
		if (answer == BREAKER_OPEN && until < first) {
			first = until;
			due = i;
		}
	}
	return !full && due < attempts->count && attempts_return(attempts, due) &&
	       breaker_insist(breaker, attempts_server(attempts));
}

/* All are open or full. A full one is well: its place is waited for as long as for a worker. */
static enum status insist(struct turn *turn)
{
	int64_t queue_ms = turn->context->config->queue_ms, until = turn->deadline;
	enum status status = STATUS_OK;

	if (queue_ms)
		until = clock_earlier(until, clock_ms() + queue_ms);
	while (status == STATUS_OK && clock_ms() < until) {
		if (enter_passed(turn))
			return STATUS_OK;
		status = pause_for(turn, clock_ms() + PLACE_MS);
	}
	turn->full = !status;
	if (turn->full)
		turn->cause = "no model server had a place for one more request";
	return status ? status : STATUS_UNAVAILABLE;
}

/* Takes a place at the next server that may be asked. */
static enum status enter(struct turn *turn)
{
	struct attempts *attempts = &turn->attempts;
	enum breaker_answer answer;
	int64_t until;

	do {
		answer = breaker_enter(turn->context->breaker, attempts_server(attempts), &until);
		if (answer == BREAKER_YES || answer == BREAKER_PROBE)
			return STATUS_OK;
	} while (attempts_pass(attempts, answer == BREAKER_FULL));
	return insist(turn);
}

enum status turn_ask(struct turn *turn)
{
	enum status status;

	do {
		status = enter(turn);
		if (status)
			return status;
		turn_prepare(turn);
		attempts_asked(&turn->attempts);
		turn_count_asked(turn);
		status = turn_relay(turn);
		turn_count_answered(turn, status);
		leave(turn, status);
	} while (may_ask_again(turn, status) && ask_again(turn, &status));
	return status;
}

int64_t turn_retry_s(const struct turn *turn)
{
	const struct model_failure *failure = model_failed(turn->context->model);
	int64_t seconds = (failure->retry_ms + 999) / 1000;

	if (turn->full)
		return RETRY_S;
	if (!may_ask_again(turn, turn->failed) || (failure->http != 429 && failure->http != 503))
		return 0;
	return seconds > 0 && seconds <= RETRY_MOST_S ? seconds : RETRY_S;
}
