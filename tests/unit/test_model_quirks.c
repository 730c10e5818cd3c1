/*
 * chat/model: what servers send that is not as the protocol's page has it, one kind a test, wherever
 * its bytes are cut; the transfer is a stub.
 */
#include "stub_streams.h"

#define NO_REASON NULL, -1, -1
#define STOP "stop", -1, -1
/* A choice alone in its chunk. */
#define LONE(index, text) CHUNK("{\"index\":" index ",\"delta\":{\"content\":\"" text "\"}}")
#define LINE(json) "data: " json "\n"
#define TEXT(text) "{\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}"

static void a_lone_choice_is_the_choice(void **state)
{
	static const struct stream streams[] = {
		{ STR(LONE("0", "Wh") LONE("1", "isper")
			      CHUNK("{\"index\":2,\"delta\":{},\"finish_reason\":\"stop\"}") DONE),
		  STATUS_OK, "Wh|isper", STOP },
		{ STR(LONE("7", "a") LONE("-1", "b") LONE("null", "c") LONE("\"x\"", "d") DONE),
		  STATUS_OK, "a|b|c|d", NO_REASON },
		/* Where several came together, index 0 decides from then on. */
		{ STR(LONE("1", "a") CHUNK("{\"index\":1,\"delta\":{\"content\":\"" SECRET "\"}},"
					   "{\"index\":0,\"delta\":{\"content\":\"b\"}}")
			      LONE("1", SECRET) LONE("0", "c")
				      CHUNK("{\"index\":1,\"finish_reason\":\"length\"}")
					      FINISH("stop") DONE),
		  STATUS_OK, "a|b|c", STOP },
		{ STR("{\"choices\":[{\"index\":3,\"message\":{\"content\":\"a\"}}]}"), STATUS_OK,
		  "a", NO_REASON },
	};

	(void)state;
	play_everywhere(streams, COUNT(streams));
}

/* The operator's members ask for several: then index 0 decides in lone ones too. */
static void of_several_that_were_asked_for_index_0_counts(void **state)
{
	static struct {
		char members[24];
		const char *text;
	} cases[] = {
		{ "{\"n\":2}", "a" },
		{ "{\"top_p\":1,\"n\":3}", "a" },
		{ "{\"n\":1}", SECRET "|a" },
		{ "{\"n\":0}", SECRET "|a" },
		{ "{\"n\":\"2\"}", SECRET "|a" },
	};
	static const struct stub_piece pieces[] = { { .bytes = STR(LONE("1", SECRET) LONE("0", "a")
									   DONE) } };
	const struct model_options none = { .name = STR_NONE };
	struct config asking = config;
	struct model *model;
	struct wait wait;
	size_t i;

	(void)state;
	wait_init(&wait);
	for (i = 0; i < COUNT(cases); i++) {
		struct answer answer = { .ended = false };

		asking.model_servers[0].members = cases[i].members;
		model = NULL;
		assert_int_equal(model_new(&asking, &model), STATUS_OK);
		stub_http_script(pieces, 1);
		model_begin(model, &asking.model_servers[0], &none);
		assert_int_equal(model_start(model, 1, NULL), STATUS_OK);
		assert_int_equal(model_next(model, &wait, 1, take_text, &answer, &answer.ended),
				 STATUS_OK);
		assert_string_equal(answer.text, cases[i].text);
		model_free(model);
	}
}

static void padding_is_no_damage(void **state)
{
	static const struct stream streams[] = {
		{ STR("data: null\n\n" DELTA(
			  "a") "data: ping\n\ndata: : OPENROUTER PROCESSING\n\n"
			       "data: 2024-04-07 20:20:50\n\ndata: 5\n\n" DELTA(
				       "b") "data: \"[DONE]\"\n\ndata: [done]\n\n"
					    "data: [\"" SECRET "\"]\n\n"
					    "event: ping\ndata: pong\n\n" FINISH("stop")),
		  STATUS_OK, "a|b", STOP },
		/* A cut is still told, by the end that is missing. */
		{ STR(HELLO "data: null\n\ndata: [done]\n\n"), STATUS_UNAVAILABLE, "Hel|lo",
		  NO_REASON },
		{ STR(HELLO "data: {\"choices\":[{\"delta\":{\"content\":\"a\"\n\n" DONE),
		  STATUS_INVALID, "Hel|lo", NO_REASON },
		{ STR(HELLO "data: {'choices':[]}\n\n" DONE), STATUS_INVALID, "Hel|lo", NO_REASON },
	/* An error that says nothing. */
#define PADDED(error)                                                                              \
	"data: {\"error\":" error ",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
		{ STR(PADDED("null") PADDED("\"\"") PADDED("{}") PADDED("false") PADDED("[]")
			      PADDED("0") PADDED("{\"message\":\"\",\"code\":null}")
				      FINISH("stop")),
		  STATUS_OK, "a|a|a|a|a|a|a", STOP },
		{ STR("event: error\ndata: null\n\nevent: error\ndata: {}\n\n"
		      "error: null\nerror:\n" HELLO DONE),
		  STATUS_OK, "Hel|lo", NO_REASON },
		{ STR(CHUNK("{\"error\":{},\"delta\":{\"content\":\"a\"}}") DONE), STATUS_OK, "a",
		  NO_REASON },
		/* What beside a choice is no error. */
		{ STR("data: {\"message\":\"fine\",\"code\":200,\"detail\":\"x\",\"choices\":[{"
		      "\"delta\":{\"content\":\"a\"}}]}\n\n" DONE),
		  STATUS_OK, "a", NO_REASON },
		/* Azure's filter, which has no choice; usage alone; a base_resp that is well. */
		{ STR("data: {\"choices\":[],\"prompt_filter_results\":[{\"prompt_index\":0}]}\n\n"
		      "data: {\"type\":\"ping\"}\n\n"
		      "data: {\"base_resp\":{\"status_code\":0,\"status_msg\":\"\"}}\n\n" HELLO
			      DONE),
		  STATUS_OK, "Hel|lo", NO_REASON },
	};

	(void)state;
	play_everywhere(streams, COUNT(streams));
}

static void what_nobody_reads_is_no_damage(void **state)
{
#define DEEP "[[[[[[[[[[[[[[[[[[[["
#define PEED "]]]]]]]]]]]]]]]]]]]]"
	static const struct stream streams[] = {
		{ STR("data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"logprobs\":{\"x\":[NaN,"
		      "-Infinity,Infinity]}}],\"timings\":{\"per_second\":NaN}}\n\n" DONE),
		  STATUS_OK, "a", NO_REASON },
		{ STR("data: {\"x\":" DEEP DEEP DEEP DEEP "{\"]\":1}" PEED PEED PEED PEED
		      ",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n" DONE),
		  STATUS_OK, "a", NO_REASON },
		{ STR("data: {\"usage\":{\"prompt_tokens\":NaN,\"completion_tokens\":2}}\n\n" DONE),
		  STATUS_OK, "", NULL, -1, 2 },
	};

	(void)state;
	play_everywhere(streams, COUNT(streams));
}

/* How many of the prompt's tokens a server had kept, each in its own words. */
static void what_a_server_had_kept_is_counted(void **state)
{
#define KEPT(members)                                                                              \
	STR(DELTA("a") "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9" members "}}"         \
		       "\n\n" DONE)
	static const struct {
		struct str bytes;
		int64_t cached;
	} cases[] = {
		{ KEPT(""), -1 },
		{ KEPT(",\"prompt_tokens_details\":{\"cached_tokens\":8,\"audio_tokens\":0}"), 8 },
		{ KEPT(",\"prompt_tokens_details\":{\"cached_tokens\":0},\"cached_tokens\":7"), 0 },
		{ KEPT(",\"prompt_tokens_details\":null,\"cached_tokens\":7"), 7 },
		{ KEPT(",\"prompt_tokens_details\":{},\"prompt_cache_hit_tokens\":6,"
		       "\"prompt_cache_miss_tokens\":3"),
		  6 },
		{ KEPT(",\"cache_creation_input_tokens\":4,\"cache_read_input_tokens\":5"), 5 },
		{ KEPT(",\"prompt_tokens_details\":{\"cached_tokens\":\"8\"}"), -1 },
		{ KEPT(",\"prompt_tokens_details\":{\"cached_tokens\":-8}"), -1 },
		{ KEPT(",\"prompt_tokens_details\":8,\"cached_tokens\":2147483648"), -1 },
		{ KEPT("},\"prompt_tokens_details\":{\"cached_tokens\":8"), -1 },
	};
	struct model *model = make_model();
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		const struct stub_piece piece = { .bytes = cases[i].bytes };

		play(model, &piece, 1, &answer);
		assert_int_equal(answer.status, STATUS_OK);
		assert_int_equal(model_tokens_in(model), 9);
		assert_int_equal(model_tokens_cached(model), cases[i].cached);
	}
	model_free(model);
}

static void an_empty_delta_beside_a_message_is_none(void **state)
{
	static const struct stream streams[] = {
		{ STR("{\"choices\":[{\"delta\":{},\"message\":{\"content\":\"all\"},"
		      "\"finish_reason\":\"stop\"}]}"),
		  STATUS_OK, "all", STOP },
		{ STR(CHUNK("{\"delta\":{\"content\":null},\"message\":{\"content\":\"all\"}}")
			      FINISH("stop")),
		  STATUS_OK, "all", STOP },
		/* Behind deltas it is all of them once more. */
		{ STR(HELLO CHUNK("{\"delta\":{},\"message\":{\"content\":\"" SECRET "\"},"
				  "\"finish_reason\":\"stop\"}")),
		  STATUS_OK, "Hel|lo", STOP },
	};

	(void)state;
	play_everywhere(streams, COUNT(streams));
}

static void one_line_feed_between_events(void **state)
{
	static const struct stream streams[] = {
		{ STR(LINE(TEXT("a")) LINE(TEXT("b"))
			      LINE("{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}")
				      LINE("[DONE]") LINE(TEXT(SECRET))),
		  STATUS_OK, "a|b", STOP },
		{ STR(LINE("ping") LINE(TEXT("a")) "event: x\n" LINE(
			  TEXT("b")) "event: error\n" LINE("{\"message\":\"" SECRET "\"}")),
		  STATUS_REFUSED, "a|b", NO_REASON },
		/* An object over several lines is one event. */
		{ STR("data: {\"choices\":[\ndata: {\"delta\":{\"content\":\"a}\"}}\ndata: "
		      "]}\n" LINE(TEXT("b")) "data: [DONE]"),
		  STATUS_OK, "a}|b", NO_REASON },
	};

	(void)state;
	play_everywhere(streams, COUNT(streams));
}

#define WORDS "{\"code\":500,\"message\":\"" SECRET "\"}"

static void an_event_that_was_framed_twice(void **state)
{
	static const struct stream streams[] = {
		{ STR(LINE("data: " TEXT("a")) "\n" LINE("data:data: " TEXT("b"))
			      LINE("data:") "\n" LINE("data: [DONE]") LINE("data: " TEXT(SECRET))),
		  STATUS_OK, "a|b", NO_REASON },
	};

	(void)state;
	play_everywhere(streams, COUNT(streams));
}

static void errors_in_other_clothes(void **state)
{
	static const char *const clothes[] = {
		"error: " WORDS "\n\n",
		"error: " SECRET "\n",
		"{\"error\":" WORDS "}\n\n",
		"{\n  \"error\": {\n    \"message\": \"" SECRET "\"\n\n  }\n}\n",
		"{\"detail\":\"" SECRET "\"}\n",
		"event: error\ndata: " SECRET "\n\n",
		LINE("{\"error\":\"" SECRET "\"}"),
		LINE("{\"error\":" WORDS "}"),
		LINE("{\"error\":[" WORDS "]}"),
		LINE("{\"error\":true}"),
		LINE("{\"error\":" WORDS ",\"choices\":[{\"delta\":{\"content\":\"" SECRET
		     "\"}}]}"),
		LINE("{\"choices\":[{\"error\":" WORDS ",\"delta\":{\"content\":\"" SECRET
		     "\"}}]}"),
		LINE("{\"choices\":null,\"error_type\":\"x\",\"error_message\":\"" SECRET "\"}"),
		LINE("{\"error_code\":17,\"error_msg\":\"" SECRET "\"}"),
		LINE("{\"object\":\"error\",\"message\":\"" SECRET "\",\"code\":400}"),
		LINE("{\"type\":\"error\",\"message\":\"" SECRET "\"}"),
		LINE("{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"" SECRET "\"}]}"),
		LINE(WORDS),
		LINE("{\"code\":\"x\",\"message\":\"" SECRET "\",\"request_id\":\"1\"}"),
		LINE("{\"statusCode\":429,\"message\":\"" SECRET "\"}"),
		LINE("{\"success\":false,\"errors\":[],\"result\":null}"),
		LINE("{\"base_resp\":{\"status_code\":1004,\"status_msg\":\"" SECRET "\"}}"),
		LINE("{\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}"),
	};
	char text[1024];
	size_t i;

	(void)state;
	/* After text, and before it; [DONE] behind it makes no answer of it. */
	for (i = 0; i < COUNT(clothes); i++) {
		const char *reason = strstr(clothes[i], "finish_reason") ? "error" : NULL;
		struct stream stream = {
			.status = STATUS_REFUSED, .reason = reason, .in = -1, .out = -1
		};

		snprintf(text, sizeof(text), "%s%s%s", HELLO, clothes[i], DONE);
		stream.bytes = str_from(text);
		stream.text = "Hel|lo";
		play_everywhere(&stream, 1);
		stream.bytes = str_skip(stream.bytes, sizeof(HELLO) - 1);
		stream.text = "";
		play_everywhere(&stream, 1);
	}
}

/* As a whole body, too, where a message alone is all there is. */
static void a_plain_error_is_one(void **state)
{
	static const struct stream streams[] = {
		{ STR("{\"message\":\"" SECRET "\"}"), STATUS_REFUSED, "", NO_REASON },
		{ STR("{\"Message\":\"" SECRET "\"}\n"), STATUS_REFUSED, "", NO_REASON },
		{ STR("{\"choices\":[],\"detail\":\"" SECRET "\"}"), STATUS_REFUSED, "",
		  NO_REASON },
		{ STR("{\"error\":{\n\"message\":\"" SECRET "\"}}\n\ndata: [DONE]\n\n"),
		  STATUS_REFUSED, "", NO_REASON },
		{ STR("{}"), STATUS_OK, "", NO_REASON },
	};

	(void)state;
	play_everywhere(streams, COUNT(streams));
}

static void a_refusal_is_an_answer(void **state)
{
	static const struct stream streams[] = {
		{ STR(CHUNK(
			  "{\"delta\":{\"role\":\"assistant\",\"content\":null,\"refusal\":\"\"}}")
			      CHUNK("{\"delta\":{\"refusal\":\"I can\\ud83d\"}}") CHUNK(
				      "{\"delta\":{\"content\":null,\"refusal\":\"\\ude00\"}}")
				      FINISH("stop") DONE),
		  STATUS_OK, "I can|\xf0\x9f\x98\x80", STOP },
		{ STR("{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"No.\"},"
		      "\"finish_reason\":\"stop\"}]}"),
		  STATUS_OK, "No.", STOP },
		{ STR("{\"choices\":[{\"message\":{\"content\":[{\"type\":\"refusal\","
		      "\"refusal\":\"No.\"}]}}]}"),
		  STATUS_OK, "No.", NO_REASON },
		/* Where a delta has both, its content counts; else they are joined as they come. */
		{ STR(CHUNK("{\"delta\":{\"content\":\"a\",\"refusal\":\"" SECRET "\"}}")
			      CHUNK("{\"delta\":{\"content\":\"\",\"refusal\":\"b\"}}")
				      CHUNK("{\"delta\":{\"refusal\":5}}") DELTA("c") DONE),
		  STATUS_OK, "a|b|c", NO_REASON },
	};

	(void)state;
	play_everywhere(streams, COUNT(streams));
}

static void a_reason_that_is_none_or_taken_back(void **state)
{
	static const struct stream streams[] = {
		{ STR(CHUNK("{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"null\"}")
			      CHUNK("{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"None\"}")),
		  STATUS_UNAVAILABLE, "a|b", NO_REASON },
		{ STR(DELTA("a") FINISH("null") DELTA("b") FINISH("stop") FINISH("null")),
		  STATUS_OK, "a|b", STOP },
		/* More text: that was not the end. Without text it stays one. */
		{ STR(DELTA("a") FINISH("stop") DELTA("b")), STATUS_UNAVAILABLE, "a|b", NO_REASON },
		{ STR(DELTA("a") FINISH("stop") DELTA("b") DONE), STATUS_OK, "a|b", NO_REASON },
		{ STR(DELTA("a") FINISH("stop") DELTA("b") FINISH("length")), STATUS_OK, "a|b",
		  "length", -1, -1 },
		{ STR(DELTA("a") FINISH("stop") DELTA("") USAGE), STATUS_OK, "a", "stop", 7, 3 },
		{ STR(DELTA("a") FINISH("stop") DELTA("\xe2\x82")), STATUS_UNAVAILABLE, "a",
		  NO_REASON },
	};

	(void)state;
	play_everywhere(streams, COUNT(streams));
}

static void some_reasons_are_breaks(void **state)
{
	static const char *const breaks[] = {
		"error",     "abort",	"network_error", "insufficient_system_resource",
		"cancelled", "timeout", "canceled",	 "model_context_window_exceeded",
		"ERROR",
	};
	static const char *const ends[] = {
		"stop",		"length",	   "content_filter", "sensitive",
		"model_length", "tool_calls",	   "function_call",  "eos",
		"end_turn",	"errors_were_few", "nobody_knows"
	};
	const struct model_options none = { .name = STR_NONE };
	struct model *model = make_model();
	struct answer answer;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(breaks) + COUNT(ends); i++) {
		bool broke = i < COUNT(breaks);
		const char *reason = broke ? breaks[i] : ends[i - COUNT(breaks)];
		struct stub_piece piece = { .ended = true };

		snprintf(text, sizeof(text),
			 HELLO "data: {\"choices\":[{\"finish_reason\":\"%s\"}]}\n\n" DONE, reason);
		piece.bytes = str_from(text);
		play(model, &piece, 1, &answer);
		assert_int_equal(answer.status, broke ? STATUS_REFUSED : STATUS_OK);
		assert_string_equal(answer.text, "Hel|lo");
		assert_same(model_finish_reason(model), str_from(reason));
		/* What tells that the messages were too long is judged so. */
		assert_int_equal(model_failed(model)->too_long,
				 strcmp(reason, "model_context_window_exceeded") == 0);
	}
	model_begin(model, &config.model_servers[0], &none);
	assert_false(model_failed(model)->too_long);
	model_free(model);
}

/* Comments and usage do not lengthen it; text takes the reason back, and the grace with it. */
static void the_grace_behind_a_finish_reason_is_short(void **state)
{
	static const struct stub_piece endless[] = {
		{ .bytes = STR(DELTA("a") FINISH("stop")), .ms = 5 },
		{ .bytes = STR(DELTA("b")), .ms = 2900 },
		{ .bytes = STR(": later\n\n"), .ms = 60000 },
		{ .bytes = STR(FINISH("length")), .ms = 60000 },
		{ .bytes = STR(": OPENROUTER PROCESSING\n\n"), .ms = 1000 },
		{ .bytes = STR(USAGE), .ms = 1000 },
		{ .bytes = STR(FINISH("length")), .ms = 999 },
		{ .bytes = STR(""), .ms = 1 },
	};
	static const struct stub_piece left[] = {
		{ .bytes = STR(DELTA("a") FINISH("stop")) },
		{ .bytes = STR(""), .ms = 60000, .status = STATUS_CLOSED },
	};
	struct model *model = make_model();
	struct answer answer;

	(void)state;
	play(model, endless, COUNT(endless), &answer);
	assert_int_equal(answer.status, STATUS_OK);
	assert_string_equal(answer.text, "a|b");
	assert_str(model_finish_reason(model), "length");
	assert_int_equal(model_tokens_out(model), 3);
	assert_int_equal(journal_count("next "), COUNT(endless));
	assert_int_equal(stub_http.wake_at, stub_time.now);
	assert_int_equal(journal_count("stop "), 1);
	play(model, left, COUNT(left), &answer);
	assert_int_equal(answer.status, STATUS_CLOSED);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lone_choice_is_the_choice),
		cmocka_unit_test(of_several_that_were_asked_for_index_0_counts),
		cmocka_unit_test(padding_is_no_damage),
		cmocka_unit_test(what_nobody_reads_is_no_damage),
		cmocka_unit_test(what_a_server_had_kept_is_counted),
		cmocka_unit_test(an_empty_delta_beside_a_message_is_none),
		cmocka_unit_test(one_line_feed_between_events),
		cmocka_unit_test(an_event_that_was_framed_twice),
		cmocka_unit_test(errors_in_other_clothes),
		cmocka_unit_test(a_plain_error_is_one),
		cmocka_unit_test(a_refusal_is_an_answer),
		cmocka_unit_test(a_reason_that_is_none_or_taken_back),
		cmocka_unit_test(some_reasons_are_breaks),
		cmocka_unit_test(the_grace_behind_a_finish_reason_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
