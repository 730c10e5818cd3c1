/* chat/model: what it makes of a stream, wherever its bytes are cut; the transfer is a stub. */
#include "stub_streams.h"

static const struct stream streams[] = {
	/* As OpenAI sends it. */
	{ STR(CHUNK("{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":"
		    "null},"
		    "\"logprobs\":null,\"finish_reason\":null}") HELLO FINISH("stop") USAGE DONE),
	  STATUS_OK, "Hel|lo", "stop", 7, 3 },
	/* Usage beside the choices, at once or in every chunk; null before. */
	{ STR("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\r\n\r\n"
	      "data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"length\"}],"
	      "\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":2}}\r\n\r\n" DONE),
	  STATUS_OK, "a|b", "length", 0, 2 },
	/* Reasons that nobody knows are reasons. */
	{ STR(HELLO FINISH("content_filter") DONE), STATUS_OK, "Hel|lo", "content_filter", -1, -1 },
	{ STR(HELLO FINISH("eos") DONE), STATUS_OK, "Hel|lo", "eos", -1, -1 },
	{ STR(HELLO DONE), STATUS_OK, "Hel|lo", NULL, -1, -1 },
	{ STR(DONE), STATUS_OK, "", NULL, -1, -1 },
	{ STR(FINISH("stop") DONE), STATUS_OK, "", "stop", -1, -1 },
	/* An empty reason is none, also behind a real one. */
	{ STR(CHUNK("{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"\"}") FINISH("stop")
		      CHUNK("{\"delta\":{\"content\":\"\"},\"finish_reason\":\"\"}") USAGE),
	  STATUS_OK, "a", "stop", 7, 3 },
	/* What could not be stored is no reason, and no number; the answer is stored. */
	{ STR(HELLO FINISH("a\\u0000b") DONE), STATUS_OK, "Hel|lo", "other", -1, -1 },
	{ STR(HELLO FINISH("\xff\xfe") DONE), STATUS_OK, "Hel|lo", "other", -1, -1 },
	{ STR(HELLO FINISH("0123456789012345678901234567890123456789012345678901234567890123456789")
		      DONE),
	  STATUS_OK, "Hel|lo", "other", -1, -1 },
	{ STR(HELLO
	      "data: {\"usage\":{\"prompt_tokens\":2147483648,\"completion_tokens\":-5}}\n\n" DONE),
	  STATUS_OK, "Hel|lo", NULL, -1, -1 },
	{ STR(HELLO
	      "data: "
	      "{\"usage\":{\"prompt_tokens\":2147483647,\"completion_tokens\":1.5}}\n\n" DONE),
	  STATUS_OK, "Hel|lo", NULL, INT32_MAX, -1 },
	{ STR(HELLO "data: {\"usage\":{\"prompt_tokens\":99999999999999999999}}\n\n" DONE),
	  STATUS_OK, "Hel|lo", NULL, -1, -1 },
	{ STR(HELLO "data: {\"usage\":[7,3]}\n\ndata: {}\n\n" DONE), STATUS_OK, "Hel|lo", NULL, -1,
	  -1 },
	/* Ends without [DONE], with half a line, and behind [DONE]. */
	{ STR(HELLO FINISH("stop")), STATUS_OK, "Hel|lo", "stop", -1, -1 },
	{ STR(HELLO FINISH("stop") "data: [DONE]"), STATUS_OK, "Hel|lo", "stop", -1, -1 },
	{ STR(HELLO "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}"), STATUS_OK,
	  "Hel|lo", "stop", -1, -1 },
	{ STR(HELLO DONE DELTA(SECRET) USAGE "data: " SECRET "\n\n"), STATUS_OK, "Hel|lo", NULL, -1,
	  -1 },
	{ STR(HELLO), STATUS_UNAVAILABLE, "Hel|lo", NULL, -1, -1 },
	{ STR(""), STATUS_UNAVAILABLE, "", NULL, -1, -1 },
	/* A plain answer, which is whole without a reason; half of one, and what is none. */
	{ STR("{\"choices\":[{\"message\":{\"content\":\"Hello\"}}],\"usage\":{\"prompt_tokens\":7}"
	      "}"),
	  STATUS_OK, "Hello", NULL, 7, -1 },
	{ STR("\xef\xbb\xbf\r\n "
	      "{\"choices\":[{\"message\":{\"content\":\"a\\u0000\"},\"finish_reason\":"
	      "\"stop\"}]}\n"),
	  STATUS_OK, "a\xef\xbf\xbd", "stop", -1, -1 },
	{ STR("{\"error\":{\"message\":\"" SECRET "\"}}"), STATUS_REFUSED, "", NULL, -1, -1 },
	{ STR("{\"choices\":[{\"message\":{\"content\":\"" SECRET "\"}}]"), STATUS_INVALID, "",
	  NULL, -1, -1 },
	{ STR("<html>" SECRET "</html>\n\n"), STATUS_UNAVAILABLE, "", NULL, -1, -1 },
	/* Beside deltas a message is all of them once more. */
	{ STR(CHUNK("{\"delta\":{\"content\":\"a\"},\"message\":{\"content\":\"a\"}}") CHUNK(
		  "{\"delta\":{\"content\":\"b\"},\"message\":{\"content\":\"ab\"}}")
		      CHUNK("{\"message\":{\"content\":\"ab\"},\"finish_reason\":\"stop\"}")),
	  STATUS_OK, "a|b", "stop", -1, -1 },
	/* Events without a byte, and white space around them. */
	{ STR("data:\n\ndata: \n\n" HELLO "data:  [DONE] \n\n" DELTA(SECRET)), STATUS_OK, "Hel|lo",
	  NULL, -1, -1 },
	{ STR(HELLO "data: {\"object\":\"error\",\"message\":\"" SECRET "\"}\n\n" DONE),
	  STATUS_REFUSED, "Hel|lo", NULL, -1, -1 },
	/* Index 0 counts, wherever it stands. */
	{ STR(CHUNK("{\"index\":1,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"y\"},"
		    "{\"index\":0,\"delta\":{\"content\":\"a\"}}")
		      CHUNK("{\"index\":2,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"y\"}")
			      FINISH("stop") DONE),
	  STATUS_OK, "a", "stop", -1, -1 },
	/* No text: null, reasoning, tools, other types, no choices. */
	{ STR(CHUNK(
		  "{\"delta\":{\"content\":null,\"reasoning_content\":\"x\",\"reasoning\":\"x\"}}")
		      CHUNK("{\"delta\":{\"tool_calls\":[{\"index\":0}]}}")
			      CHUNK("{\"delta\":{\"content\":5}}") CHUNK("null") CHUNK("7")
				      CHUNK("") "data: {\"choices\":{}}\n\n" DELTA("a")
					      FINISH("stop") DONE),
	  STATUS_OK, "a", "stop", -1, -1 },
	{ STR("data: {\"error\":null,\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n" DONE),
	  STATUS_OK, "a", NULL, -1, -1 },
	/* Content in parts; a whole message. */
	{ STR(CHUNK("{\"delta\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":"
		    "\"text\","
		    "\"text\":\"x\"}]},{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\","
		    "\"text\":"
		    "\"b\"},{\"type\":\"other\",\"text\":\"x\"},5]}}") DONE),
	  STATUS_OK, "ab", NULL, -1, -1 },
	{ STR(CHUNK("{\"message\":{\"role\":\"assistant\",\"content\":\"whole\"},\"finish_reason\":"
		    "\"stop\"}") DONE),
	  STATUS_OK, "whole", "stop", -1, -1 },
	/* Comments, other fields, other line ends. */
	{ STR(": OPENROUTER PROCESSING\n\nid: 5\nretry: 1\nevent: "
	      "message\r\ndata:{\"choices\":\rdata: "
	      "[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n" DONE),
	  STATUS_OK, "a", NULL, -1, -1 },
	/* Half characters: escaped, raw, never completed; what is no text. */
	{ STR(DELTA("a\\ud83d") DELTA("\\ude00b") DONE), STATUS_OK,
	  "a|\xf0\x9f\x98\x80"
	  "b",
	  NULL, -1, -1 },
	{ STR(DELTA("\xf0\x9f") DELTA("") DELTA("\x98") DELTA("\x80") DONE), STATUS_OK,
	  "\xf0\x9f\x98\x80", NULL, -1, -1 },
	{ STR(DELTA("a\\ud83d") DELTA("b") DONE), STATUS_OK,
	  "a|\xef\xbf\xbd"
	  "b",
	  NULL, -1, -1 },
	{ STR(DELTA("a\\ud83d") FINISH("stop") DONE), STATUS_OK, "a|\xef\xbf\xbd", "stop", -1, -1 },
	{ STR(DELTA("\xe2\x82") FINISH("stop")), STATUS_OK, "\xef\xbf\xbd", "stop", -1, -1 },
	{ STR(DELTA("a\\u0000b\xff") DONE), STATUS_OK,
	  "a\xef\xbf\xbd"
	  "b\xef\xbf\xbd",
	  NULL, -1, -1 },
	/* Failures within a stream. */
	{ STR(HELLO "data: {\"error\":{\"message\":\"" SECRET "\"}}\n\n" DONE), STATUS_REFUSED,
	  "Hel|lo", NULL, -1, -1 },
	{ STR(HELLO "data: {\"error\":\"" SECRET "\"}\n\n"), STATUS_REFUSED, "Hel|lo", NULL, -1,
	  -1 },
	{ STR(HELLO "event: error\ndata: " SECRET "\n\n" DONE), STATUS_REFUSED, "Hel|lo", NULL, -1,
	  -1 },
	{ STR(HELLO FINISH("error") DONE), STATUS_REFUSED, "Hel|lo", "error", -1, -1 },
	{ STR(HELLO FINISH("abort") DONE), STATUS_REFUSED, "Hel|lo", "abort", -1, -1 },
	{ STR(HELLO "data: {" SECRET "\n\n" DONE), STATUS_INVALID, "Hel|lo", NULL, -1, -1 },
	{ STR(HELLO "data: {\"" SECRET "\"]}\n\n" DONE), STATUS_INVALID, "Hel|lo", NULL, -1, -1 },
	{ STR(HELLO "data: {\"choices\":[{\"delta\":{\"content\":\"" SECRET), STATUS_INVALID,
	  "Hel|lo", NULL, -1, -1 },
};

static void same_answer_wherever_it_is_cut(void **state)
{
	(void)state;
	play_everywhere(streams, COUNT(streams));
}

/* S4: at the byte that ends its event, not at the next one. */
static void a_delta_is_not_held(void **state)
{
	static const struct stub_piece pieces[] = {
		{ .bytes = STR(DELTA("Hel")) },	  { .bytes = STR("") },
		{ .bytes = STR(DELTA("l\xc3")) }, { .bytes = STR(DELTA("\xb6")) },
		{ .bytes = STR(DONE) },
	};
	static const char *const texts[] = { "Hel", "Hel", "Hel|l", "Hel|l|\xc3\xb6",
					     "Hel|l|\xc3\xb6" };
	const struct model_options none = { .name = STR_NONE };
	struct answer answer = { .ended = false };
	struct model *model = make_model();
	struct wait wait;
	size_t i;

	(void)state;
	wait_init(&wait);
	stub_http_script(pieces, COUNT(pieces));
	model_begin(model, &config.model_servers[0], &none);
	assert_int_equal(model_start(model, 1, NULL), STATUS_OK);
	for (i = 0; i < COUNT(pieces); i++) {
		assert_int_equal(model_next(model, &wait, 99, take_text, &answer, &answer.ended),
				 STATUS_OK);
		assert_int_equal(stub_http.wake_at, 99);
		assert_string_equal(answer.text, texts[i]);
		/* [DONE] is the end, whether or not the body has ended. */
		assert_int_equal(answer.ended, i == COUNT(pieces) - 1);
	}
	model_free(model);
}

/* What is left of one exchange, a client's half character too, never shows in the next. */
static void nothing_is_left_of_the_exchange_before(void **state)
{
	static const struct stub_piece half[] = {
		{ .bytes = STR(DELTA("a\xe2\x82") FINISH("stop") USAGE "event: error\ndata: x"),
		  .status = STATUS_STOPPED },
	};
	static const struct stub_piece whole[] = { { .bytes = STR("\n\n" DELTA("\xac"
									       "b") DONE) } };
	struct model *model = make_model();
	struct answer answer;

	(void)state;
	play(model, half, 1, &answer);
	assert_int_equal(answer.status, STATUS_STOPPED);
	assert_string_equal(answer.text, "a");
	assert_str(model_finish_reason(model), "stop");
	play(model, whole, 1, &answer);
	assert_int_equal(answer.status, STATUS_OK);
	assert_string_equal(answer.text, "\xef\xbf\xbd"
					 "b");
	assert_null(model_finish_reason(model).p);
	assert_int_equal(model_tokens_in(model), -1);
	assert_int_equal(model_tokens_out(model), -1);
	model_free(model);
}

static void a_failed_transfer_gives_what_came_before(void **state)
{
	static const enum status failures[] = { STATUS_UNAVAILABLE, STATUS_TIMEOUT, STATUS_NOMEM,
						STATUS_CLOSED, STATUS_STOPPED };
	struct model *model = make_model();
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(failures); i++) {
		const struct stub_piece cut = { .bytes = STR(HELLO "data: {"),
						.status = failures[i] };
		const struct stub_piece done = { .bytes = STR(HELLO DONE), .status = failures[i] };
		const struct stub_piece bad = { .bytes = STR(HELLO "data: {x\n\n"),
						.status = failures[i] };

		play(model, &cut, 1, &answer);
		assert_int_equal(answer.status, failures[i]);
		assert_string_equal(answer.text, "Hel|lo");
		assert_string_equal(model_cause(model), "the stub's cause");
		play(model, &done, 1, &answer);
		assert_int_equal(answer.status, STATUS_OK);
		assert_string_equal(answer.text, "Hel|lo");
		play(model, &bad, 1, &answer);
		assert_int_equal(answer.status, STATUS_INVALID);
		assert_string_equal(answer.text, "Hel|lo");
	}
	model_free(model);
}

/* A server that does not close, or breaks off, once it has said why it ended has said it all. */
static void nothing_is_lost_behind_a_finish_reason(void **state)
{
	static const struct {
		enum status status, expected;
	} cases[] = {
		{ STATUS_UNAVAILABLE, STATUS_OK },  { STATUS_TIMEOUT, STATUS_OK },
		{ STATUS_NOMEM, STATUS_NOMEM },	    { STATUS_CLOSED, STATUS_CLOSED },
		{ STATUS_STOPPED, STATUS_STOPPED },
	};
	struct model *model = make_model();
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		const struct stub_piece cut[] = {
			{ .bytes = STR(HELLO FINISH("stop") "data: {\"us"), .ms = 5 },
			{ .bytes = STR("age\":"), .status = cases[i].status },
		};

		play(model, cut, 2, &answer);
		assert_int_equal(answer.status, cases[i].expected);
		assert_string_equal(answer.text, "Hel|lo");
		assert_str(model_finish_reason(model), "stop");
	}
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_answer_wherever_it_is_cut),
		cmocka_unit_test(a_delta_is_not_held),
		cmocka_unit_test(nothing_is_left_of_the_exchange_before),
		cmocka_unit_test(a_failed_transfer_gives_what_came_before),
		cmocka_unit_test(nothing_is_lost_behind_a_finish_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
