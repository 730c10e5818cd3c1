/* The listener's loop. Its process runs no exchange meanwhile, and asks no model. */
#include "chat/attach.h"

#include "base/clock.h"
#include "edge/wait_slots.h"

/* How often the database is asked whether an answer has ended that cannot be heard, or whose bell is taken. */
#define LOOK_MS 2000
/* The first time: it may run here and only be about to begin, as where the same is asked twice at once. */
#define FIRST_LOOK_MS 100
/* One that is heard is looked at so often: its process may be another's by now. */
#define HEARD_LOOK_MS 30000
/* So often in a row it cannot be, and nobody is waited for any longer. */
#define LOOKS_FAILED 5
/* The longest character. */
#define CHARACTER 4

/* STATUS_REFUSED: as many listen as may. Where it does not run here, it is listened to all the same: by looking. */
static enum status join(struct attach *attach)
{
	const struct turn_context *context = attach->context;
	char exchange[SECRET_ID_SIZE] = "";
	enum status status;

	if (!attach->answer.runs || attach->answer.exchange.n >= sizeof(exchange))
		return STATUS_OK;
	memcpy(exchange, attach->answer.exchange.p, attach->answer.exchange.n);
	status = broadcast_listen(context->broadcast, context->place, exchange, &attach->listener);
	return status == STATUS_UNAVAILABLE ? STATUS_OK : status;
}

enum status attach_open(struct attach *attach)
{
	const struct turn_context *context = attach->context;

	buf_init(&attach->piece, (size_t)context->config->answer_bytes + CHARACTER);
	attach->cause = "";
	attach->told = (size_t)attach->after;
	attach->listener = (struct broadcast_listener){ .bell = -1 };
	return join(attach);
}

void attach_close(struct attach *attach)
{
	wait_watch(attach->context->wait, WAIT_BELL, -1, 0);
	broadcast_leave(&attach->listener);
	buf_wipe(&attach->piece);
}

static enum status say(struct attach *attach, struct sink *sink, enum event_kind kind,
		       struct str text)
{
	const struct talks_status *answer = &attach->answer;
	struct event event = {
		.kind = kind,
		.conversation = answer->conversation,
		.message_id = answer->message_id,
		.text = text,
		.finish_reason = kind == EVENT_DONE ? answer->finish_reason : STR_NONE,
		.stopped = answer->stopped,
		.tokens_in = kind == EVENT_DONE ? answer->tokens_in : -1,
		.tokens_out = kind == EVENT_DONE ? answer->tokens_out : -1,
		.attached = attach->numbered,
		.number = (int64_t)attach->told,
	};

	return sink->event(sink, &event);
}

/* Where the character begins that has this byte. */
static size_t character_of(struct str text, size_t byte)
{
	while (byte && byte < text.n && ((unsigned char)text.p[byte] & 0xc0) == 0x80)
		byte--;
	return byte;
}

/* `text`: the answer from the byte `from` on; what was not told of it is. */
static enum status tell(struct attach *attach, struct sink *sink, struct str text, size_t from)
{
	size_t begin = attach->told - from;

	if (begin >= text.n)
		return STATUS_OK;
	begin = character_of(text, begin);
	attach->told = from + text.n;
	attach->tokens++;
	return say(attach, sink, EVENT_TOKEN, str_skip(text, begin));
}

/* What came since. *over: no more will, here. */
static enum status hear(struct attach *attach, struct sink *sink, bool *over)
{
	size_t from = attach->told < CHARACTER ? 0 : attach->told - CHARACTER;
	enum status status;

	buf_reset(&attach->piece);
	*over = !broadcast_hear(&attach->listener, from, &attach->piece);
	status = buf_check(&attach->piece);
	if (status == STATUS_OK && !*over)
		status = tell(attach, sink, buf_view(&attach->piece), from);
	return status ? status : sink->flush(sink);
}

static enum status say_end(struct attach *attach, struct sink *sink)
{
	const struct talks_status *answer = &attach->answer;
	enum status status = STATUS_OK;

	stage_set(attach->context->wait->stage, STAGE_REPLY);
	if (answer->whole)
		status = tell(attach, sink, answer->text, 0);
	attach->told = answer->text.n;
	attach->end = answer->whole ? TURN_REPLAYED : TURN_FAILED;
	if (!answer->whole && !*attach->cause)
		attach->cause = "the answer that was listened to failed";
	if (status == STATUS_OK)
		status = say(attach, sink, answer->whole ? EVENT_DONE : EVENT_ERROR,
			     answer->whole ? answer->text : STR(""));
	return status ? status : sink->flush(sink);
}

/* Waits until there is something to hear, or until `at`. */
static enum status wait_for_more(struct attach *attach, int64_t at)
{
	struct wait *wait = attach->context->wait;
	enum status status;

	wait_watch(wait, WAIT_BELL, attach->listener.bell, POLLIN);
	status = wait_some(wait, at);
	wait_watch(wait, WAIT_BELL, -1, 0);
	return status;
}

static enum status ask(struct attach *attach, struct db_rows **rows)
{
	const struct turn_context *context = attach->context;
	struct db_rows *fresh = NULL;
	struct talks_status answer;
	enum status status;

	wait_undisturbed(context->wait, true);
	status = talks_answer(context->db, context->wait, context->config, attach->workspace,
			      attach->answer.conversation, attach->answer.message_id, &answer,
			      &fresh);
	wait_undisturbed(context->wait, false);
	if (status)
		return status;
	if (answer.exchange.p) {
		attach->answer = answer;
		db_rows_free(*rows);
		*rows = fresh;
		return STATUS_OK;
	}
	db_rows_free(fresh); /* erased: what is known of it stays */
	attach->answer.runs = attach->answer.whole = false;
	return STATUS_OK;
}

/* How often the database is to be asked whether it has ended: where nothing else tells. */
static int64_t look_ms(const struct attach *attach)
{
	return attach->listener.place && attach->listener.bell >= 0 ? HEARD_LOOK_MS : LOOK_MS;
}

/* What became of it. False: nobody can tell by now. */
static bool look(struct attach *attach, bool over, struct db_rows **rows)
{
	if (ask(attach, rows))
		return false;
	if (over && attach->answer.runs) { /* its process has told us that there will be no more */
		attach->answer.runs = false;
		attach->cause = "the process is dead that gave the answer";
	}
	return true;
}

/* Until it has ended, or nobody can tell any more. */
static enum status follow(struct attach *attach, struct sink *sink, int64_t until,
			  struct db_rows **rows)
{
	bool heard = attach->listener.place, over = false;
	int64_t look_at = clock_ms() + (heard ? look_ms(attach) : FIRST_LOOK_MS), now;
	enum status status = STATUS_OK;
	int failed = 0;

	while (attach->answer.runs && status == STATUS_OK && failed < LOOKS_FAILED) {
		if (heard)
			status = hear(attach, sink, &over);
		now = clock_ms();
		if (over && heard)
			look_at = now;
		heard = heard && !over;
		if (status == STATUS_OK && now >= until)
			return STATUS_TIMEOUT;
		if (status == STATUS_OK && now >= look_at) {
			failed = look(attach, over, rows) ? 0 : failed + 1;
			if (!heard && !over)
				heard = join(attach) == STATUS_OK && attach->listener.place;
			look_at = clock_ms() + (over ? LOOK_MS : look_ms(attach));
		} else if (status == STATUS_OK) {
			status = wait_for_more(attach, clock_earlier(until, look_at));
		}
		if (status == STATUS_TIMEOUT)
			status = STATUS_OK;
	}
	return status;
}

enum status attach_play(struct attach *attach, struct sink *sink, int64_t limit_ms)
{
	int64_t until = clock_ms() + limit_ms;
	struct db_rows *rows = NULL;
	enum status status;

	stage_set(attach->context->wait->stage, STAGE_STREAM);
	status = say(attach, sink, EVENT_START, STR(""));
	if (status == STATUS_OK)
		status = sink->flush(sink);
	if (status == STATUS_OK)
		status = follow(attach, sink, until, &rows);
	if (status == STATUS_TIMEOUT && attach->whole) {
		attach->cause = "the answer did not end in time";
	} else if (status && status != STATUS_CLOSED) {
		attach->answer.whole = false;
		attach->cause = status == STATUS_STOPPED ? "this worker had to stop"
							 : "the answer could not be listened to";
		status = STATUS_OK;
	}
	if (status == STATUS_OK)
		status = say_end(attach, sink);
	if (status == STATUS_CLOSED) {
		attach->end = TURN_LEFT;
		attach->cause = "the client left";
	}
	db_rows_free(rows);
	return status;
}
