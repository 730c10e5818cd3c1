/* chat/attach: an answer as who comes later hears it, over real shared memory; the database is a stub. */
#include "stub_db.h"

#include "chat/attach.h"

#define TEXT "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80ok"
#define SPEAKER 0
#define LISTENER 1

static const struct config config = { .database_ms = 2000, .answer_bytes = 1000 };

/* The one who speaks goes on whenever the listener has been flushed, or has waited. */
static struct speaker {
	struct broadcast *all;
	struct buf answer;
	size_t pieces; /* of TEXT's characters, so many have come */
	bool heard;    /* it can be */
	bool late;     /* ... from the first flush on */
} speaker;

static const size_t ends[] = { 0, 1, 3, 6, 10, 11, 12 };

static void speak(void)
{
	size_t from = ends[speaker.pieces];

	if (speaker.late) {
		broadcast_begin(speaker.all, SPEAKER, "x", &speaker.answer);
		speaker.heard = true;
		speaker.late = false;
		return;
	}
	if (speaker.pieces == COUNT(ends) - 1) {
		if (speaker.heard)
			broadcast_over(speaker.all, SPEAKER);
		return;
	}
	speaker.pieces++;
	buf_append(&speaker.answer, &TEXT[from], ends[speaker.pieces] - from);
	if (speaker.heard)
		broadcast_tell(speaker.all, SPEAKER, &speaker.answer);
}

/* What was told: its tokens joined, each number checked. */
static struct heard {
	struct buf text;
	size_t begin;
	int starts, tokens, dones, errors;
	enum status flush;
} heard;

static enum status on_event(struct sink *sink, const struct event *event)
{
	(void)sink;
	assert_int_equal(heard.dones + heard.errors, 0);
	switch (event->kind) {
	case EVENT_START:
		heard.starts++;
		break;
	case EVENT_TOKEN:
		heard.tokens++;
		assert_true(utf8_valid(event->text, NULL));
		buf_str(&heard.text, event->text);
		assert_int_equal(event->number, heard.begin + heard.text.len);
		break;
	case EVENT_DONE:
		heard.dones++;
		assert_str(event->text, TEXT);
		assert_str(event->finish_reason, "stop");
		assert_int_equal(event->tokens_in, 7);
		break;
	case EVENT_ERROR:
		heard.errors++;
		break;
	}
	return STATUS_OK;
}

static enum status on_flush(struct sink *sink)
{
	(void)sink;
	speak();
	return heard.flush;
}

static const struct stub_row running = { { "x", "c", "m", "running" } },
			     done = { { "x", "c", "m", "done", TEXT, "stop", "7", "3" } },
			     left = { { "x", "c", "m", "left", TEXT, "stop", "7", "3" } },
			     lost = { { "x", "c", "m", "lost" } };
#define ROW(row)                                                                                   \
	{                                                                                          \
		.rows = &(row), .count = 1                                                         \
	}

static struct attach attach;
static bool late; /* its worker has recorded it, and has not begun */

/* From the character on in which that byte lies. */
static size_t character(size_t byte)
{
	size_t i = COUNT(ends) - 1;

	while (byte < ends[COUNT(ends) - 1] && ends[i] > byte)
		i--;
	return byte < ends[COUNT(ends) - 1] ? ends[i] : byte;
}

/* What `answers` say of it in turn, when they are asked. */
static enum status hear(size_t came, size_t after, bool live, const struct stub_answer *answers,
			int count)
{
	static struct turn_context context;
	static struct db db;
	static struct wait wait;
	struct sink sink = { on_event, on_flush };
	enum status status;

	speaker = (struct speaker){ .heard = live && !late };
	heard = (struct heard){ .begin = character(after), .flush = heard.flush };
	buf_init(&heard.text, 1000);
	buf_init(&speaker.answer, 1000);
	if (live) {
		assert_int_equal(broadcast_new(2, 1000, &speaker.all), STATUS_OK);
		if (late)
			speaker.late = true;
		else
			broadcast_begin(speaker.all, SPEAKER, "x", &speaker.answer);
	}
	while (speaker.pieces < came)
		speak();
	stub_db_script(answers, count);
	journal_clear();
	wait_init(&wait);
	context = (struct turn_context){ .config = &config,
					 .db = &db,
					 .wait = &wait,
					 .broadcast = speaker.all,
					 .place = LISTENER };
	attach = (struct attach){ .context = &context,
				  .workspace = 5,
				  .after = (int64_t)after,
				  .numbered = true,
				  .answer = { .exchange = STR("x"),
					      .conversation = STR("c"),
					      .message_id = STR("m"),
					      .runs = true } };
	assert_int_equal(attach_open(&attach), STATUS_OK);
	status = attach_play(&attach, &sink, 250000);
	attach_close(&attach);
	if (live)
		broadcast_end(speaker.all, SPEAKER, &speaker.answer);
	buf_clear(&speaker.answer);
	broadcast_free(speaker.all);
	assert_int_equal(stub_db.rows_alive, 0);
	assert_int_equal(heard.starts, 1);
	return status;
}

static void the_rest_is_heard_once(bool live)
{
	static const struct stub_answer answers[] = { ROW(done) };
	size_t came, after, n = sizeof(TEXT) - 1, begin;

	for (came = 0; came < COUNT(ends); came++) {
		for (after = 0; after <= n + 2; after++) {
			begin = character(after);
			heard.flush = STATUS_OK;
			assert_int_equal(hear(came, after, live, answers, 1), STATUS_OK);
			assert_int_equal(heard.text.len, begin < n ? n - begin : 0);
			if (begin < n)
				assert_memory_equal(heard.text.data, &TEXT[begin], n - begin);
			assert_int_equal(heard.dones, 1);
			assert_int_equal(attach.end, TURN_REPLAYED);
			assert_int_equal(journal_count("talk_answer(5, 'c', 'm')"), 1);
			buf_clear(&heard.text);
		}
	}
}

static void at_every_position(void **state)
{
	(void)state;
	the_rest_is_heard_once(true);
}

/* Where it cannot be heard it comes when it has ended. */
static void what_cannot_be_heard_is_told_at_the_end(void **state)
{
	static const struct stub_answer later[] = { ROW(running), ROW(running), ROW(left) };

	(void)state;
	the_rest_is_heard_once(false);
	assert_int_equal(hear(2, 0, false, later, 3), STATUS_OK);
	assert_int_equal(heard.tokens, 1);
	assert_int_equal(heard.dones, 1);
	assert_int_equal(journal_count("talk_answer"), 3);
	buf_clear(&heard.text);
}

static void one_that_begins_a_moment_later_is_heard(void **state)
{
	static const struct stub_answer answers[] = { ROW(running), ROW(done) };

	(void)state;
	late = true;
	assert_int_equal(hear(0, 0, true, answers, 2), STATUS_OK);
	late = false;
	assert_int_equal(heard.tokens, 2); /* the first of them before it had ended */
	assert_int_equal(heard.dones, 1);
	assert_int_equal(journal_count("talk_answer"), 2);
	buf_clear(&heard.text);
}

static void how_it_fails(void **state)
{
	static const struct {
		bool live;
		struct stub_answer answers[2];
		const char *cause;
	} ways[] = {
		/* Its process is no more, and has stored nothing. */
		{ true, { ROW(running) }, "the process is dead that gave the answer" },
		{ true, { ROW(lost) }, "the answer that was listened to failed" },
		{ false, { ROW(running), ROW(lost) }, "the answer that was listened to failed" },
		{ false,
		  { ROW(running), { .rows = NULL } },
		  "the answer that was listened to failed" },
		{ true,
		  { { .status = STATUS_UNAVAILABLE } },
		  "the answer that was listened to failed" },
		/* For longer than any exchange takes. */
		{ false, { ROW(running), ROW(running) }, "the answer could not be listened to" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ways); i++) {
		heard.flush = STATUS_OK;
		assert_int_equal(hear(1, 0, ways[i].live, ways[i].answers, ways[i].live ? 1 : 2),
				 STATUS_OK);
		assert_int_equal(heard.errors, 1);
		assert_string_equal(attach.cause, ways[i].cause);
		assert_int_equal(attach.end, TURN_FAILED);
		buf_clear(&heard.text);
	}
}

static void its_client_leaves(void **state)
{
	static const struct stub_answer answers[] = { ROW(done) };

	(void)state;
	heard.flush = STATUS_CLOSED;
	assert_int_equal(hear(1, 0, true, answers, 1), STATUS_CLOSED);
	assert_int_equal(heard.dones + heard.errors, 0);
	assert_int_equal(attach.end, TURN_LEFT);
	heard.flush = STATUS_OK;
	buf_clear(&heard.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_every_position),
		cmocka_unit_test(what_cannot_be_heard_is_told_at_the_end),
		cmocka_unit_test(one_that_begins_a_moment_later_is_heard),
		cmocka_unit_test(how_it_fails),
		cmocka_unit_test(its_client_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
