/* chat/turn: an exchange whose model reasons within its content (S11); the edges are stubs. */
#include "stub_turn.h"

#include "base/log.h"
#include "base/shared_memory.h"
#include "chat/reasoning_memory.h"

static const struct stub_row in_one_piece[] = { { { "started", "c-1", "m-1", [11] = "f" } } };
static const struct stub_answer one_piece[] = { { .rows = in_one_piece, .count = 1 }, STORED };

#define ONLY "the model reasoned, and answered without any text"

static const struct {
	const char *name;
	const struct stub_answer *answers;
	struct str reasoning;
	struct stub_piece pieces[4];
	const char *journal; /* behind OPENED */
	enum turn_end end;
	int64_t first_ms;
	unsigned tokens;
} rows[] = {
	{ "taken out of a stream",
	  stub_good,
	  STR_NONE,
	  { { .bytes = STR(DELTA("<thi")) },
	    { .bytes = STR(DELTA("nk>so") DELTA("</think>\\n")), .ms = 10 },
	    { .bytes = STR(DELTA("Hel") DELTA("lo")), .ms = 10 },
	    { .bytes = STR(FINISH("stop") USAGE DONE) } },
	  "next flush next flush next token(Hel) token(lo) flush next flush " FINISH_CALL(
		  "done", "'Hello', 'stop', 7, 3, null, 20, 20") "done(c-1, m-1, Hello) flush "
								 "stop ",
	  TURN_DONE,
	  20,
	  2 },
	{ "what only looks like it",
	  stub_good,
	  STR_NONE,
	  { { .bytes = STR(DELTA("<thi")) }, { .bytes = STR(FINISH("stop") DONE) } },
	  "next flush next token(<thi) flush " FINISH_CALL(
		  "done", "'<thi', 'stop', null, null, null, 0, 0") "done(c-1, m-1, <thi) flush "
								    "stop ",
	  TURN_DONE,
	  0,
	  1 },
	{ "only reasoning",
	  stub_good,
	  STR_NONE,
	  { { .bytes = STR(DELTA("<think>so")) }, { .bytes = STR(FINISH("length") USAGE DONE) } },
	  "next flush next flush " FINISH_CALL("failed",
					       "'', 'length', 7, 3, '" ONLY "', null, 0") "error "
											  "flush "
											  "stop ",
	  TURN_FAILED,
	  -1,
	  0 },
	{ "a lone closing mark in a stream",
	  stub_good,
	  STR_NONE,
	  { { .bytes = STR(DELTA("so")) },
	    { .bytes = STR(DELTA("</think>") DELTA("a") FINISH("stop") DONE) } },
	  "next token(so) flush next token(</think>) token(a) flush " FINISH_CALL(
		  "done", "'so</think>a', 'stop', null, null, null, 0, 0") "done(c-1, m-1, "
									   "so</think>a) flush "
									   "stop ",
	  TURN_DONE,
	  0,
	  3 },
	/* The sink of one piece takes no notice of tokens. */
	{ "... in one piece",
	  one_piece,
	  STR_NONE,
	  { { .bytes = STR(DELTA("so")) },
	    { .bytes = STR(DELTA("</think>") DELTA("a") FINISH("stop") DONE), .ms = 10 } },
	  "next token(so) flush next token(a) flush " FINISH_CALL(
		  "done", "'a', 'stop', null, null, null, 10, 10") "done(c-1, m-1, a) flush stop ",
	  TURN_DONE,
	  10,
	  1 },
	{ "... with nothing behind it",
	  one_piece,
	  STR_NONE,
	  { { .bytes = STR(DELTA("so")) }, { .bytes = STR(DELTA("</think>") DONE) } },
	  "next token(so) flush next flush " FINISH_CALL(
		  "failed", "'', null, null, null, '" ONLY "', null, 0") "error flush stop ",
	  TURN_FAILED,
	  -1,
	  0 },
	{ "the chatbot says that it begins",
	  stub_good,
	  STR("begins"),
	  { { .bytes = STR(DELTA("more than 16 bytes")) },
	    { .bytes = STR(DELTA("</think>") DELTA("a")) },
	    { .bytes = STR(FINISH("stop") DONE) } },
	  "next flush next token(a) flush next flush " FINISH_CALL(
		  "done", "'a', 'stop', null, null, null, 0, 0") "done(c-1, m-1, a) flush stop ",
	  TURN_DONE,
	  0,
	  1 },
	{ "... and it does not",
	  stub_good,
	  STR("begins"),
	  { { .bytes = STR(DELTA("a")) }, { .bytes = STR(DELTA("b") FINISH("stop") DONE) } },
	  "next flush next token(ab) flush " FINISH_CALL(
		  "done", "'ab', 'stop', null, null, null, 0, 0") "done(c-1, m-1, ab) flush stop ",
	  TURN_DONE,
	  0,
	  1 },
	{ "... and it is too long for an answer",
	  stub_good,
	  STR("begins"),
	  { { .bytes = STR(DELTA("more than 16 bytes")) }, { .bytes = STR(FINISH("stop") DONE) } },
	  "next flush next flush stop " FINISH_CALL(
		  "failed", "'', 'stop', null, null, 'the answer is longer than "
			    "BANTER_ANSWER_BYTES', null, 0") "error flush ",
	  TURN_FAILED,
	  -1,
	  0 },
	{ "the chatbot keeps it",
	  stub_good,
	  STR("keep"),
	  { { .bytes = STR(DELTA("<think>") DELTA("</") FINISH("stop") DONE) } },
	  "next token(<think>) token(</) flush " FINISH_CALL(
		  "done", "'<think></', 'stop', null, null, null, 0, 0") "done(c-1, m-1, "
									 "<think></) flush stop ",
	  TURN_DONE,
	  0,
	  2 },
};

static void what_is_sent_is_what_is_stored(void **state)
{
	struct stub_turn t;
	char expected[1000];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		SCRIPT(rows[i].pieces);
		stub_turn_begin(&t, rows[i].answers, 2);
		stub_db.quiet = true;
		assert_int_equal(turn_open(&t.turn), STATUS_OK);
		stub_db.quiet = false;
		t.turn.begun.reasoning = rows[i].reasoning;
		turn_play(&t.turn, &t.sink, LIMIT_MS);
		snprintf(expected, sizeof(expected), OPENED "%s", rows[i].journal);
		if (strcmp(journal.text, expected) != 0)
			print_error("%s\n", rows[i].name);
		assert_string_equal(journal.text, expected);
		assert_int_equal(t.turn.end, rows[i].end);
		assert_int_equal(t.turn.first_ms, rows[i].first_ms);
		assert_int_equal(t.turn.tokens, rows[i].tokens);
		stub_turn_free(&t);
	}
}

static const struct stub_piece lone[] = {
	{ .bytes = STR(DELTA("so")) },
	{ .bytes = STR(DELTA("</think>") DELTA("a") FINISH("stop") DONE) },
};
static const struct stub_piece cut[] = {
	{ .bytes = STR(DELTA("so")) },
	{ .bytes = STR(DELTA("</think>") DELTA("a")), .status = STATUS_UNAVAILABLE },
};
static const struct stub_piece without[] = {
	{ .bytes = STR(DELTA("He")) },
	{ .bytes = STR(DELTA("y") FINISH("stop") DONE) },
};
static const struct stub_piece at_limit[] = {
	{ .bytes = STR(DELTA("so")) },
	{ .bytes = STR(DELTA(" on") FINISH("length") DONE) },
};

/* An exchange of that conversation: the answer, and in how many tokens it came. */
static void talk(struct reasoning_memory *memory, const char *conversation, const char *reasoning,
		 const struct stub_piece *pieces, const char *answer, unsigned tokens)
{
	struct stub_turn t;

	stub_http_script(pieces, 2);
	stub_turn_begin(&t, stub_good, 2);
	model_remember(t.model, memory);
	stub_db.quiet = true;
	assert_int_equal(turn_open(&t.turn), STATUS_OK);
	t.turn.begun.conversation = str_from(conversation);
	t.turn.begun.reasoning = str_from(reasoning);
	turn_play(&t.turn, &t.sink, LIMIT_MS);
	assert_same(buf_view(&t.turn.answer), str_from(answer));
	assert_int_equal(t.turn.tokens, tokens);
	stub_turn_free(&t);
}

#define SHOWN "so</think>a"

static void it_is_learned_and_unlearned(void **state)
{
	struct reasoning_memory *memory = shared_memory_new(sizeof(*memory));

	(void)state;
	assert_non_null(memory);
	assert_int_equal(reasoning_memory_init(memory), STATUS_OK);
	talk(memory, "1", NULL, lone, SHOWN, 3);
	talk(memory, "2", NULL, lone, SHOWN, 3);
	talk(memory, "2", NULL, lone, SHOWN, 3);
	talk(memory, "3", NULL, cut, SHOWN, 3); /* no answer: it shows nothing */
	talk(memory, "4", "keep", lone, SHOWN, 3);
	talk(memory, "5", "begins", lone, "a", 1);
	talk(memory, "6", "keep", without, "Hey", 2);
	talk(memory, "7", NULL, lone, SHOWN, 3);
	/* Now it is known. A chatbot's own setting goes on counting. */
	talk(memory, "8", NULL, lone, "a", 1);
	talk(memory, "9", "keep", lone, SHOWN, 3);
	talk(memory, "9", "begins", at_limit, "", 0);
	talk(memory, "9", "begins", without, "Hey", 1);
	talk(memory, "9", NULL, lone, "a", 1);
	/* One that ends without is sent whole, and the next ones as they come. */
	talk(memory, "10", NULL, without, "Hey", 1);
	talk(memory, "10", NULL, without, "Hey", 2);
	/* One without in between. */
	talk(memory, "1", NULL, lone, SHOWN, 3);
	talk(memory, "2", NULL, lone, SHOWN, 3);
	talk(memory, "3", NULL, without, "Hey", 2);
	talk(memory, "4", NULL, lone, SHOWN, 3);
	talk(memory, "5", NULL, lone, SHOWN, 3);
	talk(memory, "6", NULL, lone, SHOWN, 3);
	talk(memory, "7", NULL, lone, "a", 1);
	/* A guess may be wrong: what was cut by its limit goes too. */
	talk(memory, "8", NULL, at_limit, "so on", 1);
	talk(memory, "8", NULL, lone, SHOWN, 3);
	shared_memory_free(memory, sizeof(*memory));
}

static void without_a_memory_nothing_is_learned(void **state)
{
	const char *conversations[] = { "1", "2", "3", "4" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(conversations); i++)
		talk(NULL, conversations[i], NULL, lone, SHOWN, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_is_what_is_stored),
		cmocka_unit_test(it_is_learned_and_unlearned),
		cmocka_unit_test(without_a_memory_nothing_is_learned),
	};

	log_open("test", LOG_LEVEL_ERROR, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
