/* A turn's parts over stubbed edges, and a sink that writes into the journal: for test_turn… */
#ifndef STUB_TURN_H
#define STUB_TURN_H

#include "stub_db.h"
#include "stub_http_client.h"

#include "chat/turn.h"

#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define FINISH(reason) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" reason "\"}]}\n\n"
#define USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n"
#define DONE "data: [DONE]\n\n"

#define LIMIT_MS 60000

static const struct config stub_config = {
	.database_ms = 4000,
	.lease_ms = 300000,
	.history_messages = 20,
	.history_chars = 24000,
	.answer_bytes = 16,
	.model_server_count = 1,
	.model_servers[0].name = "default",
	.model_servers[0].url = "http://model/v1",
	.model_servers[0].key = "",
	.model_servers[0].headers = "",
	.model_servers[0].members = "",
	.model_servers[0].models = "",
	.model = "gpt-default",
	.model_servers[0].ca = "",
};

/* The sink: from its `refuse_at`th call on it answers `refusal`. */
static struct {
	int calls;
	int refuse_at; /* 0: never */
	bool once;
	enum status refusal;
	int64_t retry_s; /* of the last error */
} stub_sink;

static inline enum status stub_sink_answer(void)
{
	stub_sink.calls++;
	if (!stub_sink.refuse_at || stub_sink.calls < stub_sink.refuse_at)
		return STATUS_OK;
	return stub_sink.once && stub_sink.calls > stub_sink.refuse_at ? STATUS_OK
								       : stub_sink.refusal;
}

static inline enum status stub_sink_event(struct sink *sink, const struct event *event)
{
	(void)sink;
	switch (event->kind) {
	case EVENT_START:
		note("start(%.*s, %.*s) ", STR_ARGS(event->conversation),
		     STR_ARGS(event->message_id));
		break;
	case EVENT_TOKEN:
		note("token(%.*s) ", STR_ARGS(event->text));
		break;
	case EVENT_DONE:
		note("done(%.*s, %.*s, %.*s) ", STR_ARGS(event->conversation),
		     STR_ARGS(event->message_id), STR_ARGS(event->text));
		break;
	case EVENT_ERROR:
		note("error ");
		stub_sink.retry_s = event->retry_s;
		break;
	}
	return stub_sink_answer();
}

static inline enum status stub_sink_flush(struct sink *sink)
{
	(void)sink;
	note("flush ");
	return stub_sink_answer();
}

/* What exchange_begin() and exchange_end() say when all goes well. */
static const struct stub_row stub_started[] = {
	{ { "started", "c-1", "m-1", [11] = "t" } },
	{ { "history", [12] = "two", [16] = "one" } },
};
static const struct stub_row stub_replay[] = {
	{ { "replay", "c-1", "m-1", [11] = "t", [12] = "as before" } },
};
static const struct stub_row stub_stored[] = { { { "stored" } } };
static const struct stub_row stub_already[] = { { { "already" } } };
static const struct stub_row stub_gone[] = { { { "gone" } } };

#define BEGUN                                                                                      \
	{                                                                                          \
		.rows = stub_started, .count = 2                                                   \
	}
#define STORED                                                                                     \
	{                                                                                          \
		.rows = stub_stored, .count = 1                                                    \
	}

static const struct stub_answer stub_good[] = { BEGUN, STORED };

/* All that one exchange needs. */
struct stub_turn {
	struct db db;
	struct wait wait;
	struct model *model;
	struct turn_context context;
	struct turn turn;
	struct sink sink;
};

/* The scripts are set before; the journal begins when the exchange is to be opened. */
static inline enum status stub_turn_new(struct stub_turn *t)
{
	enum status status;

	*t = (struct stub_turn){ .sink = { stub_sink_event, stub_sink_flush } };
	memset(&stub_sink, 0, sizeof(stub_sink));
	stub_time.now = STUB_TIME_START;
	wait_init(&t->wait);
	t->context =
		(struct turn_context){ .config = &stub_config, .db = &t->db, .wait = &t->wait };
	status = model_new(&stub_config, &t->model);
	t->context.model = t->model;
	turn_init(&t->turn, &t->context);
	t->turn.begin.key.workspace = 5;
	t->turn.begin.message = STR("three");
	memcpy(t->turn.begin.exchange, "x", 2);
	journal_clear();
	return status;
}

static inline void stub_turn_free(struct stub_turn *t)
{
	turn_clear(&t->turn);
	model_free(t->model);
	assert_int_equal(stub_db.rows_alive, 0);
}

#define SCRIPT(pieces) stub_http_script(pieces, COUNT(pieces))

/* What every journal begins with; begin's values are test_store's. */
#define OPENED "exchange_begin start(c-1, m-1) flush post "
#define FINISH_FROM(state, rest, asked, from)                                                      \
	"exchange_end(5, 'x', '" state "', " rest ", " asked ", null, " from ", left, until) "
/* It was not asked with less of the history. */
#define FINISH_ASKED(state, rest, asked) FINISH_FROM(state, rest, asked, "null")
/* The model was asked once, or not at all. */
#define FINISH_CALL(state, rest) FINISH_ASKED(state, rest, "'default', 1, null")
#define FINISH_UNASKED(state, rest) FINISH_ASKED(state, rest, "null, 0, null")

/* Opens and plays; the journal then has no values of exchange_begin, and all of exchange_end. */
static inline void stub_turn_play(struct stub_turn *t)
{
	stub_db.quiet = true;
	assert_int_equal(turn_open(&t->turn), STATUS_OK);
	stub_db.quiet = false;
	turn_play(&t->turn, &t->sink, LIMIT_MS);
	assert_false(t->wait.undisturbed);
	assert_false(stub_db.disturbed);
}

static inline void stub_turn_begin(struct stub_turn *t, const struct stub_answer *answers,
				   int count)
{
	stub_db_script(answers, count);
	assert_int_equal(stub_turn_new(t), STATUS_OK);
}

#endif
