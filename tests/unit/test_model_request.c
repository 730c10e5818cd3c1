/* chat/model_request: the operator's members, and what a server does not take. */
#include "unit.h"

#include "base/log.h"
#include "chat/model_request.h"
#include "wire/json.h"

#define BIT(member) (1u << (member))
#define ALL (~0u)

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

/* Without these members: all, or their values only. */
static void build_without(struct asked *asked, unsigned members, unsigned values)
{
	struct model_options less = options;

	less.without = (struct model_refused){ members, values };
	build(asked, &less);
}

static void what_is_not_taken_is_left_out(void **state)
{
	static const struct {
		unsigned members;
		struct str body;
	} cases[] = {
		{ BIT(MODEL_STREAM_OPTIONS),
		  STR("{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256,\"stream\":true,"
		      "\"top_p\":1,\"a_b\":[2]" TAIL "}") },
		{ BIT(MODEL_TEMPERATURE), STR("{\"model\":\"m\",\"max_tokens\":256" STREAM
					      ",\"top_p\":1,\"a_b\":[2]" TAIL "}") },
		/* Under its newer name; under neither. */
		{ BIT(MODEL_MAX_TOKENS),
		  STR("{\"model\":\"m\",\"temperature\":0.5,\"max_completion_tokens\":256" STREAM
		      ",\"top_p\":1,\"a_b\":[2]" TAIL "}") },
		{ BIT(MODEL_MAX_TOKENS) | BIT(MODEL_MAX_COMPLETION_TOKENS),
		  STR("{\"model\":\"m\",\"temperature\":0.5" STREAM ",\"top_p\":1,\"a_b\":[2]" TAIL
		      "}") },
		{ BIT(MODEL_STREAMED),
		  STR("{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256,\"stream\":false,"
		      "\"top_p\":1,\"a_b\":[2]" TAIL "}") },
		{ BIT(MODEL_EXTRA),
		  STR("{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256" STREAM
		      ",\"a_b\":[2]" TAIL "}") },
		{ BIT(MODEL_EXTRA + 1),
		  STR("{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256" STREAM
		      ",\"top_p\":1" TAIL "}") },
		{ ALL, STR("{\"model\":\"m\",\"stream\":false" TAIL "}") },
	};
	struct asked asked;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		make(&asked, "{\"top_p\":1,\"a_b\":[2]}");
		build_without(&asked, cases[i].members, 0);
		assert_same(buf_view(&asked.request.body), cases[i].body);
		assert_int_equal(asked.request.sent & cases[i].members, 0);
		clear(&asked);
	}
}

static void what_was_sent_has_a_name(void **state)
{
	struct str names[MODEL_MEMBERS];
	struct asked asked;

	(void)state;
	make(&asked, "{\"top_p\":1,\"a_b\":[2]}");
	build(&asked, &options);
	model_request_names(&asked.request, names);
	assert_str(names[MODEL_STREAMED], "stream");
	assert_str(names[MODEL_STREAM_OPTIONS], "stream_options");
	assert_str(names[MODEL_TEMPERATURE], "temperature");
	assert_str(names[MODEL_MAX_TOKENS], "max_tokens");
	assert_null(names[MODEL_MAX_COMPLETION_TOKENS].p);
	assert_str(names[MODEL_EXTRA], "top_p");
	assert_str(names[MODEL_EXTRA + 1], "a_b");
	assert_null(names[MODEL_EXTRA + 2].p);
	clear(&asked);
}

/* More of the operator's members than can be told apart go out all the same. */
static void any_number_of_members_is_sent(void **state)
{
	struct asked asked;
	char members[1000] = "{";
	struct str names[MODEL_MEMBERS];
	int i;

	(void)state;
	for (i = 0; i < 40; i++)
		snprintf(members + strlen(members), 20, "%s\"k%d\":%d", i ? "," : "", i, i);
	strcat(members, "}");
	make(&asked, members);
	build_without(&asked, BIT(MODEL_MEMBERS - 1), 0);
	model_request_names(&asked.request, names);
	assert_str(names[MODEL_MEMBERS - 2], "k25");
	assert_null(strstr(buf_text(&asked.request.body), "\"k26\""));
	assert_non_null(strstr(buf_text(&asked.request.body), "\"k39\":39"));
	clear(&asked);
}

static struct model_refused refused(struct asked *asked, unsigned members, bool unknown,
				    bool renamed)
{
	const struct model_refusal refusal = { .members = members,
					       .unknown = unknown,
					       .renamed = renamed };

	return model_request_refused(&asked->request, &refusal);
}

static void what_a_refusal_makes_of_the_next(void **state)
{
	const unsigned limits = BIT(MODEL_MAX_TOKENS) | BIT(MODEL_MAX_COMPLETION_TOKENS);
	struct asked asked;

	(void)state;
	make(&asked, "{\"top_p\":1}");
	build(&asked, &options);
	assert_int_equal(refused(&asked, 0, true, false).members, 0);
	assert_int_equal(refused(&asked, BIT(MODEL_TEMPERATURE), true, false).values, 0);
	assert_int_equal(refused(&asked, BIT(MODEL_TEMPERATURE), false, false).values,
			 BIT(MODEL_TEMPERATURE));
	/* A member that never varies is refused with its value. */
	assert_int_equal(refused(&asked, BIT(MODEL_EXTRA), false, false).values, 0);
	assert_int_equal(refused(&asked, BIT(MODEL_MAX_TOKENS), true, false).members, limits);
	assert_int_equal(refused(&asked, BIT(MODEL_MAX_TOKENS), false, false).values, limits);
	assert_int_equal(refused(&asked, BIT(MODEL_MAX_TOKENS), true, true).members,
			 BIT(MODEL_MAX_TOKENS));
	/* What was not sent cannot have been refused. */
	assert_int_equal(refused(&asked, BIT(MODEL_EXTRA + 1), true, false).members, 0);
	clear(&asked);
}

static void only_what_was_taken_is_remembered(void **state)
{
	struct asked asked;

	(void)state;
	make(&asked, "");
	/* Refused all the same: it was not that. */
	build_without(&asked, BIT(MODEL_TEMPERATURE), 0);
	build(&asked, &options);
	assert_body(&asked,
		    "{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256" STREAM TAIL "}");
	build_without(&asked, BIT(MODEL_STREAM_OPTIONS), 0);
	model_request_taken(&asked.request);
	build(&asked, &options);
	assert_body(&asked, "{\"model\":\"m\",\"temperature\":0.5,\"max_tokens\":256,"
			    "\"stream\":true" TAIL "}");
	model_request_taken(&asked.request);
	/* More is learned on top of it. */
	build_without(&asked, BIT(MODEL_MAX_TOKENS), 0);
	model_request_taken(&asked.request);
	build(&asked, &options);
	assert_body(&asked, "{\"model\":\"m\",\"temperature\":0.5,\"max_completion_tokens\":256,"
			    "\"stream\":true" TAIL "}");
	build_without(&asked, BIT(MODEL_STREAMED), 0);
	model_request_taken(&asked.request);
	build(&asked, &options);
	assert_body(&asked, "{\"model\":\"m\",\"temperature\":0.5,\"max_completion_tokens\":256,"
			    "\"stream\":false" TAIL "}");
	clear(&asked);
}

static bool sends_limit(struct asked *asked, int64_t limit, const char *temperature)
{
	struct model_options named = { .max_tokens = limit, .temperature = str_from(temperature) };

	build(asked, &named);
	return asked->request.sent & BIT(MODEL_MAX_TOKENS);
}

static void a_refused_value_is_that_value_only(void **state)
{
	const unsigned limits = BIT(MODEL_MAX_TOKENS) | BIT(MODEL_MAX_COMPLETION_TOKENS);
	struct asked asked;
	int i;

	(void)state;
	make(&asked, "");
	build_without(&asked, BIT(MODEL_TEMPERATURE) | limits, BIT(MODEL_TEMPERATURE) | limits);
	model_request_taken(&asked.request);
	build(&asked, &options);
	assert_body(&asked, "{\"model\":\"m\"" STREAM TAIL "}");
	assert_true(sends_limit(&asked, 255, "1"));
	assert_true(asked.request.sent & BIT(MODEL_TEMPERATURE));
	assert_false(sends_limit(&asked, 256, "1"));
	assert_false(sends_limit(&asked, 256, "0.5"));
	assert_false(asked.request.sent & BIT(MODEL_TEMPERATURE));
	/* The oldest one's place is needed some time. */
	for (i = 0; i < MODEL_VALUES; i++) {
		struct model_options more = { .max_tokens = 1000 + i,
					      .without = { limits, limits } };

		build(&asked, &more);
		model_request_taken(&asked.request);
		assert_false(sends_limit(&asked, 1000 + i, "1"));
	}
	assert_true(sends_limit(&asked, 256, "1"));
	clear(&asked);
}

/* What is longer than a value that is worth remembering is learned each time. */
static void a_long_value_is_not_remembered(void **state)
{
	struct model_options odd = { .temperature = STR("0.50000000000000000000000000000000000"),
				     .without = { BIT(MODEL_TEMPERATURE),
						  BIT(MODEL_TEMPERATURE) } };
	struct asked asked;

	(void)state;
	make(&asked, "");
	build(&asked, &odd);
	model_request_taken(&asked.request);
	odd.without = (struct model_refused){ 0, 0 };
	build(&asked, &odd);
	assert_true(asked.request.sent & BIT(MODEL_TEMPERATURE));
	clear(&asked);
}

static bool asks_for_usage(struct asked *asked, const char *name)
{
	struct model_options named = { .name = str_from(name) };

	build(asked, &named);
	return asked->request.sent & BIT(MODEL_STREAM_OPTIONS);
}

static void refuse_usage(struct asked *asked, const char *name)
{
	struct model_options named = { .name = str_from(name),
				       .without = { BIT(MODEL_STREAM_OPTIONS), 0 } };

	build(asked, &named);
	model_request_taken(&asked->request);
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
		refuse_usage(&asked, name);
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
	build_without(&asked, BIT(MODEL_TEMPERATURE), 0);
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
	refuse_usage(&asked, "a \"b\"\n");
	assert_false(asks_for_usage(&asked, "a \"b\"\n"));
	assert_true(asks_for_usage(&asked, ""));
	clear(&asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_operators_members_are_sent),
		cmocka_unit_test(what_is_not_taken_is_left_out),
		cmocka_unit_test(what_was_sent_has_a_name),
		cmocka_unit_test(any_number_of_members_is_sent),
		cmocka_unit_test(what_a_refusal_makes_of_the_next),
		cmocka_unit_test(only_what_was_taken_is_remembered),
		cmocka_unit_test(a_refused_value_is_that_value_only),
		cmocka_unit_test(a_long_value_is_not_remembered),
		cmocka_unit_test(each_model_is_remembered_by_itself),
		cmocka_unit_test(each_server_is_remembered_by_itself),
		cmocka_unit_test(a_name_in_any_spelling_is_remembered),
	};

	log_open("test", LOG_LEVEL_WARN, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
