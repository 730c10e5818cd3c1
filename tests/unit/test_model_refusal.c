/* chat/model_refusal: errors as servers send them. */
#include "unit.h"

#include "chat/model_refusal.h"

static void servers_words_for_too_long_are_known(void **state)
{
	static const struct {
		int http;
		const char *body;
	} errors[] = {
		/* OpenAI */
		{ 400,
		  "{\"error\":{\"message\":\"This model's maximum context length is 8192 tokens. "
		  "However, your messages resulted in 9001 tokens. Please reduce the length of the "
		  "messages.\",\"type\":\"invalid_request_error\",\"param\":\"messages\","
		  "\"code\":\"context_length_exceeded\"}}" },
		{ 400,
		  "{\"error\":{\"message\":\"Input tokens exceed the configured limit of 272000 "
		  "tokens.\",\"code\":\"context_length_exceeded\"}}" },
		/* vLLM */
		{ 400,
		  "{\"object\":\"error\",\"message\":\"This model's maximum context length is 2048 "
		  "tokens. However, you requested 2304 tokens\",\"code\":400}" },
		{ 400, "{\"message\":\"The decoder prompt (length 5000) is longer than the maximum "
		       "model "
		       "length of 4096.\"}" },
		/* llama.cpp */
		{ 400,
		  "{\"error\":{\"code\":400,\"message\":\"the request exceeds the available "
		  "context size, try increasing it\",\"type\":\"exceed_context_size_error\"}}" },
		/* Ollama */
		{ 400,
		  "{\"error\":{\"message\":\"prompt too long; exceeded max context length by 12 "
		  "tokens\",\"type\":\"api_error\"}}" },
		{ 400, "{\"error\":\"the input length exceeds the context length\"}" },
		/* TGI */
		{ 422,
		  "{\"error\":\"Input validation error: `inputs` tokens + `max_new_tokens` must be "
		  "<= 4096. Given: 4000 `inputs` tokens\",\"error_type\":\"validation\"}" },
		/* Gemini */
		{ 400,
		  "[{\"error\":{\"message\":\"The input token count (1200000) exceeds the maximum "
		  "number of tokens allowed (1048576).\"}}]" },
		/* any server, or a proxy before it */
		{ 413, "<html>Request Entity Too Large</html>" },
		{ 413, "" },
		{ 200, "{\"error\":{\"message\":\"CONTEXT LENGTH exceeded\"}}" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(errors); i++)
		if (!model_refusal_too_long(errors[i].http, str_from(errors[i].body)))
			fail_msg("not known: %s", errors[i].body);
}

static void other_errors_are_not_taken_for_it(void **state)
{
	static const char *const bodies[] = {
		"",
		"context lengt",
		"{\"error\":{\"message\":\"Invalid value: 'rol'\",\"code\":\"invalid_value\"}}",
		"{\"error\":{\"message\":\"The model `gpt-9` does not exist\"}}",
		"{\"error\":{\"message\":\"max_tokens is too large: 100000\"}}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bodies); i++)
		assert_false(model_refusal_too_long(400, str_from(bodies[i])));
}

static void only_some_statuses_are_read(void **state)
{
	(void)state;
	assert_true(model_refusal_readable(400));
	assert_true(model_refusal_readable(413));
	assert_true(model_refusal_readable(422));
	assert_false(model_refusal_readable(401));
	assert_false(model_refusal_readable(429));
	assert_false(model_refusal_readable(500));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_words_for_too_long_are_known),
		cmocka_unit_test(other_errors_are_not_taken_for_it),
		cmocka_unit_test(only_some_statuses_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
