/* chat/model_request: the operator's members, and what a server does not take. */
#include "unit.h"

#include "base/log.h"
#include "chat/model_request.h"
#include "wire/json.h"

#define BIT(member) (1u << (member))

/* A server's members, and a request to it. */
struct asked {
	struct model_members members;
	struct model_request request;
};

static void make(struct asked *asked, const char *members)
{
	assert_int_equal(model_members_init(&asked->members, str_from(members)), STATUS_OK);
	model_request_init(&asked->request);
}

static void clear(struct asked *asked)
{
	model_request_clear(&asked->request);
	model_members_clear(&asked->members);
}

static void build(struct asked *asked, const struct model_options *options)
{
	struct model_request *request = &asked->request;
	struct model_options named = *options;

	if (!named.name.p)
		named.name = STR("m");
	model_request_begin(request, &asked->members, &named);
	model_request_message(request, STR("user"), STR("hi"));
	assert_int_equal(model_request_end(request), STATUS_OK);
	assert_true(json_valid(buf_view(&request->body)));
}

#define TAIL ",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define STREAM ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"
#define assert_body(asked, text) assert_same(buf_view(&(asked)->request.body), STR(text))

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
	struct asked asked;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		make(&asked, cases[i].members);
		build(&asked, cases[i].options);
		assert_same(buf_view(&asked.request.body), cases[i].body);
		clear(&asked);
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
	struct asked asked;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		make(&asked, "");
		build(&asked, &options);
		assert_int_equal(model_request_yield(&asked.request, cases[i].members), STATUS_OK);
		assert_same(buf_view(&asked.request.body), cases[i].body);
		clear(&asked);
	}
}

static void it_ends_when_nothing_is_left(void **state)
{
	struct asked asked;

	(void)state;
	make(&asked, "");
	build(&asked, &options);
	assert_int_equal(model_request_yield(&asked.request, 0), STATUS_REFUSED);
	assert_int_equal(model_request_yield(&asked.request, BIT(MODEL_MEMBERS) - 1), STATUS_OK);
	/* Under its newer name, too, the limit is one too many. */
	assert_int_equal(model_request_yield(&asked.request, BIT(MODEL_MAX_COMPLETION_TOKENS)),
			 STATUS_OK);
	assert_body(&asked, "{\"model\":\"m\",\"stream\":true" TAIL "}");
	assert_int_equal(model_request_yield(&asked.request, BIT(MODEL_MEMBERS) - 1),
			 STATUS_REFUSED);
	assert_body(&asked, "{\"model\":\"m\",\"stream\":true" TAIL "}");
	clear(&asked);
}

static void only_what_was_taken_is_remembered(void **state)
{
	struct asked asked;

	(void)state;
	make(&asked, "");
	build(&asked, &options);
	assert_int_equal(model_request_yield(&asked.request, BIT(MODEL_TEMPERATURE)), STATUS_OK);
	/* Refused all the same: it was not that. */
	build(&asked, &options);
	assert_body(&asked,
		    "{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256" STREAM TAIL "}");
	model_request_taken(&asked.request);
	assert_int_equal(model_request_yield(&asked.request, BIT(MODEL_STREAM_OPTIONS)), STATUS_OK);
	model_request_taken(&asked.request);
	build(&asked, &options);
	assert_body(&asked, "{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256,"
			    "\"stream\":true" TAIL "}");
	/* More is learned on top of it. */
	assert_int_equal(
		model_request_yield(&asked.request,
				    BIT(MODEL_MAX_TOKENS) | BIT(MODEL_MAX_COMPLETION_TOKENS)),
		STATUS_OK);
	model_request_taken(&asked.request);
	build(&asked, &options);
	assert_body(&asked, "{\"model\":\"m\",\"temperature\":0.5,\"max_completion_tokens\":256,"
			    "\"stream\":true" TAIL "}");
	clear(&asked);
}

static bool asks_for_usage(struct asked *asked, const char *name)
{
	struct model_options named = { .name = str_from(name) };

	build(asked, &named);
	return asked->request.sent[MODEL_STREAM_OPTIONS].n;
}

static void each_model_is_remembered_by_itself(void **state)
{
	struct asked asked;
	char name[32];
	int i;

	(void)state;
	make(&asked, "");
	for (i = 0; i < MODEL_KNOWN + 1; i++) {
		snprintf(name, sizeof(name), "model-%d", i);
		assert_true(asks_for_usage(&asked, name));
		assert_int_equal(model_request_yield(&asked.request, BIT(MODEL_STREAM_OPTIONS)),
				 STATUS_OK);
		model_request_taken(&asked.request);
		assert_false(asks_for_usage(&asked, name));
		assert_true(asks_for_usage(&asked, "another"));
	}
	/* The oldest one's place was needed. */
	assert_true(asks_for_usage(&asked, "model-0"));
	assert_false(asks_for_usage(&asked, "model-1"));
	clear(&asked);
}

/* Two servers, asked in turn by one client: what one refuses says nothing of the other. */
static void each_server_is_remembered_by_itself(void **state)
{
	struct asked asked;
	struct model_members other;

	(void)state;
	make(&asked, "{\"top_p\":1}");
	assert_int_equal(model_members_init(&other, STR("{\"seed\":2}")), STATUS_OK);
	build(&asked, &options);
	assert_int_equal(model_request_yield(&asked.request, BIT(MODEL_TEMPERATURE)), STATUS_OK);
	model_request_taken(&asked.request);
	build(&asked, &options);
	assert_body(&asked, "{\"model\":\"m\",\"max_tokens\":256" STREAM ",\"top_p\":1" TAIL "}");
	model_request_begin(&asked.request, &other,
			    &(struct model_options){ .name = STR("m"), .temperature = STR("0.5") });
	model_request_message(&asked.request, STR("user"), STR("hi"));
	assert_int_equal(model_request_end(&asked.request), STATUS_OK);
	assert_body(&asked, "{\"model\":\"m\",\"temperature\":0.5" STREAM ",\"seed\":2" TAIL "}");
	assert_int_equal(model_members_refused(&other, STR("\"m\"")), 0);
	assert_int_equal(model_members_refused(&asked.members, STR("\"m\"")),
			 BIT(MODEL_TEMPERATURE));
	model_members_clear(&other);
	clear(&asked);
}

static void a_name_in_any_spelling_is_remembered(void **state)
{
	struct asked asked;

	(void)state;
	make(&asked, "");
	assert_true(asks_for_usage(&asked, "a \"b\"\n"));
	assert_int_equal(model_request_yield(&asked.request, BIT(MODEL_STREAM_OPTIONS)), STATUS_OK);
	model_request_taken(&asked.request);
	assert_false(asks_for_usage(&asked, "a \"b\"\n"));
	assert_true(asks_for_usage(&asked, ""));
	clear(&asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_operators_members_are_sent),
		cmocka_unit_test(what_is_not_taken_is_cut_out),
		cmocka_unit_test(it_ends_when_nothing_is_left),
		cmocka_unit_test(only_what_was_taken_is_remembered),
		cmocka_unit_test(each_model_is_remembered_by_itself),
		cmocka_unit_test(each_server_is_remembered_by_itself),
		cmocka_unit_test(a_name_in_any_spelling_is_remembered),
	};

	log_open("test", LOG_LEVEL_WARN, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
