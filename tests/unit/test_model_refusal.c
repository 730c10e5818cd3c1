/* chat/model_refusal: errors as servers send them. */
#include "unit.h"

#include "chat/model_refusal.h"

#define BIT(member) (1u << (member))

/* What was sent, besides the model and its messages. */
static void judge(int http, const char *body, struct model_refusal *refusal)
{
	struct str names[MODEL_MEMBERS] = {
		[MODEL_STREAMED] = STR("stream"),
		[MODEL_STREAM_OPTIONS] = STR("stream_options"),
		[MODEL_TEMPERATURE] = STR("temperature"),
		[MODEL_MAX_TOKENS] = STR("max_tokens"),
		[MODEL_EXTRA] = STR("top_p"),
		[MODEL_EXTRA + 1] = STR("reasoning_effort"),
		[MODEL_EXTRA + 2] = STR("user"),
		[MODEL_EXTRA + 3] = STR("stop"),
	};

	model_refusal_judge(http, str_from(body), names, refusal);
}

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
		/* xAI */
		{ 400,
		  "{\"code\":\"Client specified an invalid argument\",\"error\":\"This model's "
		  "maximum prompt length is 131072 but the request contains 537812 tokens.\"}" },
		/* Bedrock, and the gateways before it */
		{ 400, "{\"message\":\"Input is too long for requested model.\"}" },
		{ 400, "{\"detail\":\"An error occurred (ValidationException) when calling the "
		       "ConverseStream operation: Input is too long for requested model.\"}" },
		/* Moonshot */
		{ 400,
		  "{\"error\":{\"message\":\"Invalid request: Your request exceeded model token "
		  "limit: 8192\",\"type\":\"invalid_request_error\"}}" },
		/* DashScope */
		{ 400,
		  "{\"error\":{\"code\":\"invalid_parameter_error\",\"param\":null,\"message\":"
		  "\"<400> InternalError.Algo.InvalidParameter: Range of input length should be "
		  "[1, "
		  "30720]\",\"type\":\"invalid_request_error\"}}" },
		/* Copilot */
		{ 400,
		  "{\"error\":{\"message\":\"prompt token count of 130452 exceeds the limit of "
		  "128000\",\"code\":\"model_max_prompt_tokens_exceeded\"}}" },
		/* vLLM: nothing is left for the answer */
		{ 400,
		  "{\"object\":\"error\",\"message\":\"max_tokens must be at least 1, got -123.\","
		  "\"type\":\"BadRequestError\",\"param\":null,\"code\":400}" },
		{ 400,
		  "{\"error\":{\"message\":\"'max_tokens' or 'max_completion_tokens' is too large: "
		  "4096. This model's maximum context length is 8192 tokens and your request has "
		  "6000 input tokens (4096 > 8192 - 6000).\",\"param\":\"max_tokens\"}}" },
		/* Anthropic: the sum, and alone */
		{ 400,
		  "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
		  "\"input length and `max_tokens` exceed context limit: 198000 + 8192 > 200000, "
		  "decrease input length or `max_tokens` and try again\"}}" },
		{ 400, "{\"error\":{\"message\":\"prompt is too long: 200049 tokens > 200000 "
		       "maximum\"}}" },
		/* Google */
		{ 400,
		  "[{\"error\":{\"code\":400,\"message\":\"Unable to submit request because the "
		  "input token count is 2000000 but model only supports up to 1048576.\"}}]" },
		/* Cohere, AI21 */
		{ 400, "{\"message\":\"too many tokens: total number of tokens in the prompt "
		       "exceeds the "
		       "limit of 4081.\"}" },
		{ 422, "{\"detail\":\"Prompt has too many tokens (9000 of 8191)\"}" },
		/* Cerebras */
		{ 400,
		  "{\"message\":\"Please reduce the length of the messages or completion. Current "
		  "length is 9007 while limit is 8192\",\"code\":\"context_length_exceeded\"}" },
		/* Fireworks */
		{ 400,
		  "{\"error\":{\"message\":\"The prompt is too long: 133000, model maximum context "
		  "length: 131071\"}}" },
		/* Together */
		{ 422,
		  "{\"error\":{\"message\":\"Input validation error: `inputs` must have less than "
		  "4096 tokens. Given: 5000\"}}" },
		/* Zhipu, Z.ai */
		{ 400,
		  "{\"error\":{\"code\":\"1261\",\"message\":\"Prompt exceeds max length\"}}" },
		{ 400, "{\"error\":{\"code\":\"model_context_window_exceeded\"}}" },
		/* MiniMax */
		{ 400, "{\"type\":\"error\",\"error\":{\"type\":\"bad_request_error\",\"message\":"
		       "\"invalid params, context window exceeds limit (2013)\"}}" },
		/* SGLang, LM Studio, Mistral */
		{ 400,
		  "{\"object\":\"error\",\"message\":\"The input (9000 tokens) is longer than the "
		  "model's context length (4096 tokens).\"}" },
		{ 400,
		  "{\"error\":\"Trying to keep the first 9000 tokens when context the overflows. "
		  "However, the model is loaded with context length of only 4096 tokens\"}" },
		{ 400,
		  "{\"object\":\"error\",\"message\":\"Prompt contains 40000 tokens and 0 draft "
		  "tokens, too large for model with 32768 maximum context length\"}" },
		/* watsonx, NVIDIA NIM, Volcengine, SiliconFlow, GitHub Models */
		{ 400, "{\"errors\":[{\"message\":\"the number of input tokens 5000 cannot exceed "
		       "the total "
		       "tokens limit 4096 for this model\"}]}" },
		{ 400,
		  "{\"detail\":\"Input length 9000 exceeds maximum allowed token size 8192\"}" },
		{ 400,
		  "{\"error\":{\"message\":\"Total tokens of image and text exceed max message "
		  "tokens\"}}" },
		{ 400,
		  "{\"code\":20015,\"message\":\"length of prompt_tokens (9000) must be less than "
		  "max_seq_len (8192).\"}" },
		{ 413, "{\"error\":{\"code\":\"tokens_limit_reached\",\"message\":\"Request body "
		       "too large "
		       "for gpt-4o model. Max size: 8000 tokens.\"}}" },
		/* OpenRouter: its provider's words */
		{ 400,
		  "{\"error\":{\"message\":\"Provider returned error\",\"code\":400,\"metadata\":{"
		  "\"raw\":\"{\\\"message\\\":\\\"prompt is too long\\\"}\"}}}" },
		/* Ones that mean it by another status */
		{ 500, "{\"error\":{\"code\":500,\"message\":\"context size exceeded\"}}" },
		{ 429,
		  "{\"error\":{\"message\":\"Request too large for gpt-4o on tokens per min (TPM): "
		  "Limit 30000, Requested 35000.\",\"code\":\"rate_limit_exceeded\"}}" },
		/* any server, or a proxy before it */
		{ 413, "<html>Request Entity Too Large</html>" },
		{ 413, "" },
		{ 200, "{\"error\":{\"message\":\"CONTEXT LENGTH exceeded\"}}" },
	};
	struct model_refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(errors); i++) {
		judge(errors[i].http, errors[i].body, &refusal);
		if (!refusal.too_long || refusal.members)
			fail_msg("not known: %s", errors[i].body);
	}
}

static void other_errors_are_not_taken_for_it(void **state)
{
	static const char *const bodies[] = {
		"",
		"context lengt",
		"{\"error\":{\"message\":\"Invalid value: 'rol'\",\"code\":\"invalid_value\"}}",
		"{\"error\":{\"message\":\"The model `gpt-9` does not exist\"}}",
		"{\"error\":{\"message\":\"max_tokens is too large: 100000\"}}",
		"{\"error\":{\"message\":\"max_tokens must be at least 1, got 0\"}}",
		"{\"error\":{\"message\":\"It was filtered\",\"code\":\"content_filter\"}}",
	};
	struct model_refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bodies); i++) {
		judge(400, bodies[i], &refusal);
		assert_false(refusal.too_long);
	}
}

#define TOP_P BIT(MODEL_EXTRA)
#define EFFORT BIT(MODEL_EXTRA + 1)
#define USER BIT(MODEL_EXTRA + 2)
#define STOP BIT(MODEL_EXTRA + 3)

static void the_member_that_is_meant_is_known(void **state)
{
	static const struct {
		int http;
		const char *body;
		unsigned members;
		bool unknown, renamed;
	} errors[] = {
		/* OpenAI: by its param, whatever it says; a value, a member, a newer name. */
		{ 400,
		  "{\"error\":{\"message\":\"Unsupported value: 'temperature' does not support 0.5 "
		  "with "
		  "this model. Only the default (1) value is supported.\",\"type\":"
		  "\"invalid_request_error\",\"param\":\"temperature\",\"code\":\"unsupported_"
		  "value\"}}",
		  BIT(MODEL_TEMPERATURE), false, false },
		{ 400,
		  "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is not supported "
		  "with "
		  "this model. Use 'max_completion_tokens' "
		  "instead.\",\"param\":\"max_tokens\",\"code\":"
		  "\"unsupported_parameter\"}}",
		  BIT(MODEL_MAX_TOKENS), true, true },
		{ 400, "{\"error\":{\"message\":\"Nope\",\"param\":\"top_p\"}}", TOP_P, false,
		  false },
		{ 400,
		  "{\"error\":{\"message\":\"Nope\",\"param\":\"stream_options.include_usage\"}}",
		  BIT(MODEL_STREAM_OPTIONS), false, false },
		{ 400,
		  "{\"error\":{\"message\":\"Your organization must be verified to stream this "
		  "model.\","
		  "\"type\":\"invalid_request_error\",\"param\":\"stream\",\"code\":"
		  "\"unsupported_value\"}}",
		  BIT(MODEL_STREAMED), false, false },
		{ 400, "{\"error\":\"You must be verified to stream this model\"}",
		  BIT(MODEL_STREAMED), false, false },
		{ 400, "{\"error\":\"This model does not support streaming\"}", BIT(MODEL_STREAMED),
		  false, false },
		{ 400,
		  "{\"error\":\"The 'stream_options' parameter is only allowed when 'stream' is "
		  "enabled\"}",
		  BIT(MODEL_STREAM_OPTIONS), false, false },
		/* Any verb. */
		{ 400,
		  "{\"error\":{\"message\":\"invalid temperature: only 1 is allowed for this "
		  "model\"}}",
		  BIT(MODEL_TEMPERATURE), false, false },
		{ 400,
		  "{\"error\":{\"message\":\"`temperature` may only be set to 1 when thinking is "
		  "enabled.\"}}",
		  BIT(MODEL_TEMPERATURE), false, false },
		{ 400, "{\"error\":{\"message\":\"`temperature` is deprecated for this model.\"}}",
		  BIT(MODEL_TEMPERATURE), true, false },
		/* One of the two is enough. */
		{ 400,
		  "{\"error\":{\"message\":\"`temperature` and `top_p` cannot both be specified "
		  "for this "
		  "model.\"}}",
		  BIT(MODEL_TEMPERATURE), false, false },
		/* A limit that is too large by itself. */
		{ 400,
		  "{\"error\":{\"message\":\"max_tokens is too large: 999999. This model supports "
		  "at "
		  "most 16384 completion tokens\",\"param\":\"max_tokens\"}}",
		  BIT(MODEL_MAX_TOKENS), false, false },
		{ 400,
		  "{\"error\":{\"message\":\"`max_tokens` must be less than or equal to `8192`, "
		  "the "
		  "maximum value for `max_tokens` is less than the `context_window` for this "
		  "model\"}}",
		  BIT(MODEL_MAX_TOKENS), false, false },
		{ 400,
		  "{\"error\":{\"message\":\"max_tokens: 999999 > 64000, which is the maximum "
		  "allowed "
		  "number of output tokens\"}}",
		  BIT(MODEL_MAX_TOKENS), false, false },
		/* pydantic, as an object and as Python prints it; what it quotes is not meant. */
		{ 422,
		  "{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",\"top_p\"],\"msg\":"
		  "\"Extra inputs are not permitted\",\"input\":{\"temperature\":1,\"stop\":1}}]}",
		  TOP_P, true, false },
		{ 422,
		  "{\"object\":\"error\",\"message\":{\"detail\":[{\"type\":\"extra_forbidden\","
		  "\"loc\":"
		  "[\"body\",\"stream_options\"],\"msg\":\"Extra inputs are not permitted\"}]}}",
		  BIT(MODEL_STREAM_OPTIONS), true, false },
		{ 400,
		  "{\"object\":\"error\",\"message\":\"[{'type': 'extra_forbidden', 'loc': "
		  "('body', "
		  "'reasoning_effort'), 'msg': 'Extra inputs are not "
		  "permitted'}]\",\"param\":null}",
		  EFFORT, true, false },
		/* xAI; Gemini; several at once */
		{ 400, "{\"error\":\"Model grok-4 does not support parameter stop.\"}", STOP, true,
		  false },
		{ 400,
		  "[{\"error\":{\"code\":400,\"message\":\"Invalid JSON payload received. Unknown "
		  "name "
		  "\\\"stream_options\\\": Cannot find field.\"}}]",
		  BIT(MODEL_STREAM_OPTIONS), true, false },
		{ 400, "temperature, top_p: not supported here", BIT(MODEL_TEMPERATURE) | TOP_P,
		  true, false },
		{ 400, "{\"error\":{\"message\":\"Invalid 'user': too long\"}}", USER, false,
		  false },
		/* Within a 200. */
		{ 200, "{\"error\":{\"message\":\"top_p must be 1\",\"code\":400}}", TOP_P, false,
		  false },
		{ 200, "{\"error\":\"top_p must be 1\"}", TOP_P, false, false },
		/* Nothing that we sent, or could leave out. */
		{ 400, "{\"error\":{\"message\":\"Invalid role: user is not what it must be\"}}", 0,
		  false, false },
		{ 400,
		  "{\"error\":{\"message\":\"Invalid value: 'temperature'\",\"param\":"
		  "\"messages[3].content\"}}",
		  0, false, false },
		{ 422,
		  "{\"detail\":[{\"loc\":[\"body\",\"messages\",0,\"content\"],\"msg\":"
		  "\"temperature\"}]}",
		  0, false, false },
		{ 400, "{\"error\":{\"message\":\"my_temperature, max_tokens_x and top_pp\"}}", 0,
		  false, false },
		{ 400, "{\"error\":{\"message\":\"while streaming, a stream of words\"}}", 0, false,
		  false },
		{ 400, "", 0, false, false },
		/* Only a refusal of the request is about its members. */
		{ 500, "{\"error\":{\"message\":\"Unknown parameter: temperature\"}}", 0, false,
		  false },
		{ 429, "{\"error\":{\"message\":\"max_tokens\"}}", 0, false, false },
		{ 200, "{\"error\":{\"message\":\"top_p\",\"code\":502}}", 0, false, false },
	};
	struct model_refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(errors); i++) {
		judge(errors[i].http, errors[i].body, &refusal);
		if (refusal.too_long || refusal.members != errors[i].members ||
		    (refusal.members && (refusal.unknown != errors[i].unknown ||
					 refusal.renamed != errors[i].renamed)))
			fail_msg("members %x, too long %d, unknown %d, renamed %d: %s",
				 refusal.members, refusal.too_long, refusal.unknown,
				 refusal.renamed, errors[i].body);
	}
}

static void an_error_within_a_200_has_a_status(void **state)
{
	static const struct {
		const char *body;
		int http;
	} errors[] = {
		{ "{\"error\":{\"code\":502,\"message\":\"x\"}}", 502 },
		{ "{\"error\":{\"code\":\"429\"}}", 429 },
		{ "{\"object\":\"error\",\"code\":400}", 400 },
		{ "{\"error\":{\"status\":503}}", 503 },
		{ "{\"error\":{\"code\":\"server_error\"}}", 0 },
		{ "{\"error\":{\"code\":1234}}", 0 },
		{ "{\"error\":{\"code\":200}}", 0 },
		{ "error", 0 },
	};
	struct model_refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(errors); i++) {
		judge(200, errors[i].body, &refusal);
		assert_int_equal(refusal.http, errors[i].http);
		judge(400, errors[i].body, &refusal);
		assert_int_equal(refusal.http, 400);
	}
}

static void only_some_statuses_are_read(void **state)
{
	(void)state;
	assert_true(model_refusal_readable(400));
	assert_true(model_refusal_readable(413));
	assert_true(model_refusal_readable(422));
	assert_true(model_refusal_readable(429));
	assert_true(model_refusal_readable(500));
	assert_false(model_refusal_readable(401));
	assert_false(model_refusal_readable(404));
	assert_false(model_refusal_readable(502));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_words_for_too_long_are_known),
		cmocka_unit_test(other_errors_are_not_taken_for_it),
		cmocka_unit_test(the_member_that_is_meant_is_known),
		cmocka_unit_test(an_error_within_a_200_has_a_status),
		cmocka_unit_test(only_some_statuses_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
