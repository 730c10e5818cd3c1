/* chat/model_request: the operator's members, and what a server does not take. */
#include "unit.h"

#include "base/log.h"
#include "chat/model_request.h"
#include "wire/json.h"

#define BIT(member) (1u << (member))

static void make(struct model_request *request, const char *members)
{
	const struct config config = { .model = (char *)(uintptr_t) "m",
				       .model_servers[0].members = (char *)(uintptr_t)members };

	assert_int_equal(model_request_init(request, &config), STATUS_OK);
}

static void build(struct model_request *request, const struct model_options *options)
{
	model_request_begin(request, options);
	model_request_message(request, STR("user"), STR("hi"));
	assert_int_equal(model_request_end(request), STATUS_OK);
	assert_true(json_valid(buf_view(&request->body)));
}

#define TAIL ",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define STREAM ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"
#define assert_body(request, text) assert_same(buf_view(&(request)->body), STR(text))

static void the_operators_members_are_sent(void **state)
{
	static const struct model_options none = { .name = STR_NONE };
	static const struct model_options all = { .name = STR("other"),
						  .temperature = STR("0.5"),
						  .max_tokens = 7 };
	static const struct {
		const char *members;
		const struct model_options *options;
		struct str body;
	} cases[] = {
		{ "", &none, STR("{\"model\":\"m\"" STREAM TAIL "}") },
		{ " { } ", &none, STR("{\"model\":\"m\"" STREAM TAIL "}") },
		{ "{\"top_p\": 0.90, \"x\":{\"messages\":[1,\"}\"]},\"a\":null}", &none,
		  STR("{\"model\":\"m\"" STREAM
		      ",\"top_p\": 0.90,\"x\":{\"messages\":[1,\"}\"]},\"a\":null" TAIL "}") },
		/* Ours win, whatever their spelling. */
		{ "{\"model\":1,\"messages\":[],\"stream\":false,\"stream_options\":{},"
		  "\"\\u006dodel\":2,\"k\":3}",
		  &none, STR("{\"model\":\"m\"" STREAM ",\"k\":3" TAIL "}") },
		/* For chatbots that have none. */
		{ "{\"temperature\":1e0,\"max_tokens\":99}", &none,
		  STR("{\"model\":\"m\",\"temperature\":1e0,\"max_tokens\":99" STREAM TAIL "}") },
		{ "{\"temperature\":1e0,\"max_tokens\":99}", &all,
		  STR("{\"model\":\"other\",\"temperature\":0.5,\"max_tokens\":7" STREAM TAIL
		      "}") },
		{ "{\"max_completion_tokens\":99,\"max_tokens\":5}", &none,
		  STR("{\"model\":\"m\",\"max_completion_tokens\":99" STREAM TAIL "}") },
		{ "{\"max_completion_tokens\":99}", &all,
		  STR("{\"model\":\"other\",\"temperature\":0.5,\"max_completion_tokens\":7" STREAM
			      TAIL "}") },
		{ "{\"temperature\":null,\"max_tokens\":null}", &none,
		  STR("{\"model\":\"m\"" STREAM TAIL "}") },
	};
	struct model_request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		make(&request, cases[i].members);
		build(&request, cases[i].options);
		assert_same(buf_view(&request.body), cases[i].body);
		model_request_clear(&request);
	}
}

static const struct model_options options = { .temperature = STR("0.5"), .max_tokens = 256 };

static void what_is_not_taken_is_cut_out(void **state)
{
	static const struct {
		unsigned members;
		struct str body;
	} cases[] = {
		{ BIT(MODEL_STREAM_OPTIONS),
		  STR("{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256,\"stream\":true" TAIL
		      "}") },
		{ BIT(MODEL_TEMPERATURE),
		  STR("{\"model\":\"m\",\"max_tokens\":256" STREAM TAIL "}") },
		{ BIT(MODEL_MAX_TOKENS),
		  STR("{\"model\":\"m\",\"temperature\":0.5" STREAM TAIL "}") },
		{ BIT(MODEL_MAX_TOKENS) | BIT(MODEL_MAX_COMPLETION_TOKENS),
		  STR("{\"model\":\"m\",\"temperature\":0.5" STREAM TAIL
		      ",\"max_completion_tokens\":256}") },
		{ BIT(MODEL_MEMBERS) - 1,
		  STR("{\"model\":\"m\",\"stream\":true" TAIL ",\"max_completion_tokens\":256}") },
	};
	struct model_request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		make(&request, "");
		build(&request, &options);
		assert_int_equal(model_request_yield(&request, cases[i].members), STATUS_OK);
		assert_same(buf_view(&request.body), cases[i].body);
		model_request_clear(&request);
	}
}

static void it_ends_when_nothing_is_left(void **state)
{
	struct model_request request;

	(void)state;
	make(&request, "");
	build(&request, &options);
	assert_int_equal(model_request_yield(&request, 0), STATUS_REFUSED);
	assert_int_equal(model_request_yield(&request, BIT(MODEL_MEMBERS) - 1), STATUS_OK);
	/* Under its newer name, too, the limit is one too many. */
	assert_int_equal(model_request_yield(&request, BIT(MODEL_MAX_COMPLETION_TOKENS)),
			 STATUS_OK);
	assert_body(&request, "{\"model\":\"m\",\"stream\":true" TAIL "}");
	assert_int_equal(model_request_yield(&request, BIT(MODEL_MEMBERS) - 1), STATUS_REFUSED);
	assert_body(&request, "{\"model\":\"m\",\"stream\":true" TAIL "}");
	model_request_clear(&request);
}

static void only_what_was_taken_is_remembered(void **state)
{
	struct model_request request;

	(void)state;
	make(&request, "");
	build(&request, &options);
	assert_int_equal(model_request_yield(&request, BIT(MODEL_TEMPERATURE)), STATUS_OK);
	/* Refused all the same: it was not that. */
	build(&request, &options);
	assert_body(&request,
		    "{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256" STREAM TAIL "}");
	model_request_taken(&request);
	assert_int_equal(model_request_yield(&request, BIT(MODEL_STREAM_OPTIONS)), STATUS_OK);
	model_request_taken(&request);
	build(&request, &options);
	assert_body(&request, "{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256,"
			      "\"stream\":true" TAIL "}");
	/* More is learned on top of it. */
	assert_int_equal(model_request_yield(&request, BIT(MODEL_MAX_TOKENS) |
							       BIT(MODEL_MAX_COMPLETION_TOKENS)),
			 STATUS_OK);
	model_request_taken(&request);
	build(&request, &options);
	assert_body(&request, "{\"model\":\"m\",\"temperature\":0.5,\"max_completion_tokens\":256,"
			      "\"stream\":true" TAIL "}");
	model_request_clear(&request);
}

static bool asks_for_usage(struct model_request *request, const char *name)
{
	struct model_options named = { .name = str_from(name) };

	build(request, &named);
	return request->sent[MODEL_STREAM_OPTIONS].n;
}

static void each_model_is_remembered_by_itself(void **state)
{
	struct model_request request;
	char name[32];
	int i;

	(void)state;
	make(&request, "");
	for (i = 0; i < MODEL_KNOWN + 1; i++) {
		snprintf(name, sizeof(name), "model-%d", i);
		assert_true(asks_for_usage(&request, name));
		assert_int_equal(model_request_yield(&request, BIT(MODEL_STREAM_OPTIONS)),
				 STATUS_OK);
		model_request_taken(&request);
		assert_false(asks_for_usage(&request, name));
		assert_true(asks_for_usage(&request, "another"));
	}
	/* The oldest one's place was needed. */
	assert_true(asks_for_usage(&request, "model-0"));
	assert_false(asks_for_usage(&request, "model-1"));
	model_request_clear(&request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_operators_members_are_sent),
		cmocka_unit_test(what_is_not_taken_is_cut_out),
		cmocka_unit_test(it_ends_when_nothing_is_left),
		cmocka_unit_test(only_what_was_taken_is_remembered),
		cmocka_unit_test(each_model_is_remembered_by_itself),
	};

	log_open("test", LOG_LEVEL_WARN, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
