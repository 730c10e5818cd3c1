/*
 * One exchange. The order of things here is the product's promise: recorded before START, every
 * delta flushed before anything waits again, stored before DONE, and exactly one end (S1 to S10).
 */
#include "chat/turn.h"

#include "base/clock.h"
#include "base/hot.h"
#include "base/log.h"
#include "chat/turn_ask.h"
#include "chat/turn_count.h"
#include "chat/turn_keep.h"
#include "wire/utf8.h"

/* An answer that cannot be stored is tried again this long: a database restart takes seconds. */
#define FINISH_MS 10000
/*
 * ... and one try at least this long, however short the time for other calls is: their clients can
 * ask again. On a full machine what is broken off has lost its place, and a new session its time.
 */
#define FINISH_TRY_MS 5000
#define FINISH_PAUSE_MS 200

void turn_init(struct turn *turn, const struct turn_context *context)
{
	*turn = (struct turn){
		.context = context,
		.begin = { .stream = -1 },
		.began_at = clock_ms(),
		.cause = "",
		.first_ms = -1,
	};
	secret_new_ids((char *const[]){ turn->begin.exchange, turn->begin.answer,
					turn->begin.new_conversation },
		       3);
	buf_init(&turn->answer, (size_t)context->config->answer_bytes);
}

void turn_clear(struct turn *turn)
{
	store_begun_clear(&turn->begun);
	db_rows_free(turn->told_rows);
	if (turn->heard)
		broadcast_end(turn->context->broadcast, turn->context->place, &turn->answer);
	else
		buf_wipe(&turn->answer);
}

enum status turn_open(struct turn *turn)
{
	const struct turn_context *context = turn->context;

	return store_begin(context->db, context->wait, context->config, &turn->begin, &turn->begun);
}

static struct event make_event(const struct turn *turn, enum event_kind kind, struct str text)
{
	struct event event = {
		.kind = kind,
		.conversation = turn->begun.conversation,
		.message_id = turn->begun.message_id,
		.text = text,
		.finish_reason = STR_NONE,
		.stopped = turn->stopped,
		.tokens_in = -1,
		.tokens_out = -1,
		.retry_s = kind == EVENT_ERROR ? turn_retry_s(turn) : 0,
	};

	if (kind == EVENT_DONE && turn->begun.outcome == STORE_REPLAY) {
		event.finish_reason = turn->told.finish_reason;
		event.tokens_in = turn->told.tokens_in;
		event.tokens_out = turn->told.tokens_out;
	} else if (kind == EVENT_DONE) {
		event.finish_reason = model_finish_reason(turn->context->model);
		event.tokens_in = model_tokens_in(turn->context->model);
		event.tokens_out = model_tokens_out(turn->context->model);
	}
	return event;
}

/* What its sink says; that its client left is no end where it goes on without. */
static HOT enum status unless_left(struct turn *turn, enum status status)
{
	if (status == STATUS_CLOSED && turn_keep_left(turn))
		return STATUS_OK;
	return status;
}

static HOT enum status say(struct turn *turn, enum event_kind kind, struct str text)
{
	struct event event = make_event(turn, kind, text);

	return turn->sink->event(turn->sink, &event);
}

static enum status say_and_flush(struct turn *turn, enum event_kind kind, struct str text)
{
	enum status status = say(turn, kind, text);

	return status ? status : turn->sink->flush(turn->sink);
}

/* The client gets its answer in one piece: it has seen nothing of what turned out to be reasoning. */
static enum status take_back(struct turn *turn)
{
	if (turn->answer.data)
		explicit_bzero(turn->answer.data, turn->answer.len);
	buf_reset(&turn->answer);
	turn->tokens = 0;
	turn->first_ms = -1;
	return STATUS_OK;
}

static HOT enum status on_text(void *context, struct str text)
{
	struct turn *turn = context;

	if (!text.p)
		return take_back(turn);
	if (turn->first_ms < 0) {
		turn->first_ms = clock_ms() - turn->began_at;
		breaker_succeeded(turn->context->breaker);
	}
	buf_str(&turn->answer, text);
	if (buf_check(&turn->answer)) {
		turn->cause = "the answer is longer than BANTER_ANSWER_BYTES";
		return STATUS_NOMEM;
	}
	turn->tokens++;
	return unless_left(turn, say(turn, EVENT_TOKEN, text));
}

static enum model_reasoning_mode reasoning_mode(struct str name)
{
	return str_equal(name, STR("keep"))	? MODEL_REASONING_KEEP
	       : str_equal(name, STR("begins")) ? MODEL_REASONING_BEGINS
						: MODEL_REASONING_REMOVE;
}

void turn_prepare(struct turn *turn)
{
	const struct turn_context *context = turn->context;
	const struct attempts *attempts = &turn->attempts;
	struct model_options options = {
		.name = turn->begun.model,
		.temperature = turn->begun.temperature,
		.max_tokens = turn->begun.max_tokens,
		.conversation = turn->begun.conversation,
		.reasoning = reasoning_mode(turn->begun.reasoning),
		.whole = !turn->begun.stream,
		.without = attempts->without,
		.patience_ms = attempts_patience(attempts, turn->deadline - clock_ms()),
		.fresh = attempts->fresh,
	};

	model_begin(context->model, attempts_server(attempts), &options);
	prompt_put(&turn->prompt, context->model);
}

/* The path of a token: bytes from the model, events to the sink, flushed before the next wait. */
HOT enum status turn_relay(struct turn *turn)
{
	const struct turn_context *context = turn->context;
	enum status status, flushed;
	bool ended = false;

	status = model_start(context->model, turn->deadline, context->wait->stage);
	while (status == STATUS_OK && !ended) {
		status = turn_keep(turn);
		if (status)
			return status;
		status = model_next(context->model, context->wait, turn_keep_at(turn), on_text,
				    turn, &ended);
		if (turn->begun.stream) /* else what came may yet be taken back */
			broadcast_tell(context->broadcast, context->place, &turn->answer);
		flushed = unless_left(turn, turn->sink->flush(turn->sink));
		if (flushed && (status == STATUS_OK || status == STATUS_NOMEM))
			status = flushed;
		turn_count_tokens(turn);
	}
	return status;
}

static const char *name_cause(const struct turn *turn, enum status status)
{
	const char *cause = model_cause(turn->context->model);

	if (*turn->cause)
		return turn->cause;
	if (status == STATUS_CLOSED)
		return "the client left";
	if (turn->stopped)
		return "it was stopped";
	if (status == STATUS_STOPPED)
		return "this worker had to stop";
	if (*cause)
		return cause;
	return status ? status_name(status) : "";
}

/* Tries until it is stored, or for FINISH_MS; heartbeats go on meanwhile. */
static enum status finish(struct turn *turn, enum store_end end, enum store_finished *finished)
{
	const struct turn_context *context = turn->context;
	const struct attempts *attempts = &turn->attempts;
	int64_t until = clock_ms() + FINISH_MS;
	int64_t most = clock_later(context->config->database_ms, FINISH_TRY_MS);
	struct store_ending finish = {
		.workspace = turn->begin.key.workspace,
		.exchange = turn->begin.exchange,
		.end = end,
		.answer = buf_view(&turn->answer),
		.finish_reason = model_finish_reason(context->model),
		.tokens_in = model_tokens_in(context->model),
		.tokens_out = model_tokens_out(context->model),
		.tokens_cached = model_tokens_cached(context->model),
		.error = turn->cause,
		.first_ms = turn->first_ms,
		.requests = attempts->requests,
		.history_from = prompt_from(&turn->prompt),
	};
	enum status status;
	int64_t now;

	if (attempts->requests)
		finish.server = str_from(attempts_server(attempts)->name);
	if (*attempts->tries)
		finish.tries = str_from(attempts->tries);
	stage_set(context->wait->stage, STAGE_FINISH);
	wait_undisturbed(context->wait, true);
	for (;;) {
		now = clock_ms();
		finish.total_ms = now - turn->began_at;
		status = store_finish(context->db, context->wait, &finish,
				      clock_earlier(until, now + most), finished);
		if (status == STATUS_OK || status == STATUS_FAILED)
			break;
		now = clock_ms() + FINISH_PAUSE_MS;
		if (now >= until)
			break;
		while (wait_some(context->wait, now) == STATUS_OK)
			;
	}
	wait_undisturbed(context->wait, false);
	return status;
}

/* What S10's table says of how it went. */
static enum store_end judge(const struct turn *turn)
{
	bool some = !utf8_blank(buf_view(&turn->answer));

	if (turn->failed == STATUS_OK && some)
		return STORE_DONE;
	if ((turn->failed == STATUS_CLOSED || turn->stopped) && some)
		return STORE_LEFT;
	return STORE_FAILED;
}

/* Whether its client is told that it is done: what it got is all that there will be. */
static bool is_whole(const struct turn *turn, enum store_end end)
{
	return end == STORE_DONE || (turn->stopped && end == STORE_LEFT);
}

/* What is stored and cannot be told, for want of memory, is said to be an error: that needs none. */
static void say_done(struct turn *turn, enum status status, struct str text)
{
	if (status == STATUS_OK)
		status = say_and_flush(turn, EVENT_DONE, text);
	if (status == STATUS_NOMEM)
		status = say_and_flush(turn, EVENT_ERROR, STR(""));
	else if (status == STATUS_OK)
		return;
	turn->cause = status ? "the client left" : "there was no memory to tell the answer";
}

/* Its client left, and that ended it, or would have. */
static bool is_left(const struct turn *turn)
{
	return turn->failed == STATUS_CLOSED || (turn->left && turn->left_ms <= 0);
}

static void end_play(struct turn *turn)
{
	enum store_end end = judge(turn);
	enum store_finished finished = STORE_GONE;
	enum status stored;

	turn->cause = name_cause(turn, turn->failed);
	if (end == STORE_FAILED && turn->failed == STATUS_OK)
		turn->cause = model_only_reasoned(turn->context->model)
				      ? "the model reasoned, and answered without any text"
				      : "the model answered without any text";
	stored = finish(turn, end, &finished);
	if (stored && !*turn->cause)
		turn->cause = "the answer could not be stored";
	else if (stored)
		log_error("request=%.*s its end could not be stored; its lease will end it",
			  STR_ARGS(turn->begin.request_id));
	else if (finished == STORE_GONE)
		turn->cause = "the exchange was gone before its answer was stored";
	broadcast_over(turn->context->broadcast, turn->context->place);
	turn->end = is_left(turn) ? TURN_LEFT : turn->stopped ? TURN_STOPPED : TURN_FAILED;
	stage_set(turn->context->wait->stage, STAGE_REPLY);
	if (is_whole(turn, end) && stored == STATUS_OK && finished != STORE_GONE) {
		if (end == STORE_DONE)
			turn->end = TURN_DONE;
		if (turn->left && !*turn->cause)
			turn->cause = "its client left before the end";
		say_done(turn, STATUS_OK, buf_view(&turn->answer));
	} else if (turn->failed != STATUS_CLOSED &&
		   say_and_flush(turn, EVENT_ERROR, STR("")) == STATUS_CLOSED) {
		turn->end = TURN_LEFT;
	}
}

/* How it had ended. Where that cannot be asked now it is given again without. */
static void recall(struct turn *turn)
{
	const struct turn_context *context = turn->context;

	turn->told = (struct talks_status){ .tokens_in = -1, .tokens_out = -1 };
	if (turn->says_how && talks_answer(context->db, context->wait, context->config,
					   turn->begin.key.workspace, turn->begun.conversation,
					   turn->begun.message_id, &turn->told, &turn->told_rows))
		log_debug("request=%.*s how its answer ended is not known",
			  STR_ARGS(turn->begin.request_id));
}

static void replay(struct turn *turn)
{
	struct str text = turn->begun.replayed;
	enum status status;

	turn->end = TURN_REPLAYED;
	recall(turn);
	stage_set(turn->context->wait->stage, STAGE_REPLY);
	status = say(turn, EVENT_START, STR(""));
	if (status == STATUS_OK)
		status = say(turn, EVENT_TOKEN, text);
	say_done(turn, status, text);
}

/* What is stored the database has cut to the chatbot's limits already. */
static struct prompt_budget budget_of(const struct turn *turn)
{
	const struct config *config = turn->context->config;
	const struct store_begun *begun = &turn->begun;
	struct prompt_budget budget = { config->history_messages, config->history_chars };

	if (begun->history_messages >= 0 && begun->history_messages < budget.messages)
		budget.messages = begun->history_messages;
	if (begun->history_chars >= 0 && begun->history_chars < budget.chars)
		budget.chars = begun->history_chars;
	return budget;
}

void turn_play(struct turn *turn, struct sink *sink, int64_t limit_ms)
{
	const struct config *config = turn->context->config;

	turn->sink = sink;
	turn->deadline = turn->began_at + limit_ms;
	if (turn->begun.outcome == STORE_REPLAY) {
		replay(turn);
		turn_count_ended(turn);
		return;
	}
	turn_count_begun(turn);
	broadcast_begin(turn->context->broadcast, turn->context->place, turn->begin.exchange,
			&turn->answer);
	turn->heard = true;
	turn->prompt = (struct prompt){
		.begun = &turn->begun,
		.message = turn->begin.message,
		.budget = budget_of(turn),
		.said = turn->said,
		.said_count = turn->said_count,
	};
	model_reset(turn->context->model);
	attempts_init(&turn->attempts, config, turn->begun.servers, turn->begun.model,
		      turn->begin.request_id);
	turn_keep_begin(turn);
	turn->failed = unless_left(turn, say_and_flush(turn, EVENT_START, STR("")));
	if (turn->failed == STATUS_OK)
		turn->failed = turn_keep_decide(turn);
	if (turn->failed == STATUS_OK)
		turn->failed = turn_ask(turn);
	if (turn->failed == STATUS_OK)
		turn->failed = turn_keep_decide(turn);
	turn->stopped =
		turn->failed == STATUS_STOPPED && running_is_to_end(turn->context->wait->running);
	turn_keep_end(turn);
	/* Nobody wants the rest: its transfer ends now, not when the end is stored (S7). */
	if (turn->failed)
		model_stop(turn->context->model);
	end_play(turn);
	turn_count_ended(turn);
	model_stop(turn->context->model);
}
