/*
 * What the protocol's members mean is OpenAI's API reference, "chat completion chunk object"; where
 * a row stands for what a server does otherwise, it names the server.
 */
#include "chat/model_chunk.h"

#include "base/count.h"

struct json_node model_chunk_choice(struct json_node chunk, bool *several)
{
	struct json_node choices = json_member(chunk, "choices");
	size_t n = json_length(choices), i;

	*several |= n > 1;
	for (i = 0; i < n; i++) {
		struct json_node choice = json_element(choices, i);
		int64_t index = 0;

		(void)json_get_integer(json_member(choice, "index"), &index);
		if (index == 0 || !*several)
			return choice;
	}
	return (struct json_node){ NULL };
}

static bool take_string(struct json_node node, struct utf8_joiner *joiner, struct buf *out)
{
	struct str piece;

	if (!json_get_string(node, &piece) || !piece.n)
		return false;
	utf8_joiner_feed(joiner, piece, out);
	return true;
}

/* A part of a content in parts (Mistral): text and a refusal are the answer, thinking is not. */
static bool take_part(struct json_node part, struct utf8_joiner *joiner, struct buf *out)
{
	struct str type;

	if (!json_get_string(json_member(part, "type"), &type))
		return false;
	if (str_equal(type, STR("text")))
		return take_string(json_member(part, "text"), joiner, out);
	return str_equal(type, STR("refusal")) &&
	       take_string(json_member(part, "refusal"), joiner, out);
}

bool model_chunk_text(struct json_node speech, struct utf8_joiner *joiner, struct buf *out)
{
	struct json_node content = json_member(speech, "content");
	bool any = take_string(content, joiner, out);
	size_t i;

	for (i = 0; i < json_length(content); i++)
		any |= take_part(json_element(content, i), joiner, out);
	return any || take_string(json_member(speech, "refusal"), joiner, out);
}

static bool says(struct json_node chunk, const char *name)
{
	return !json_blank(json_member(chunk, name));
}

static bool says_one(struct json_node chunk, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (says(chunk, names[i]))
			return true;
	return false;
}

static bool is_word(struct json_node node, struct str word)
{
	struct str text;

	return json_get_string(node, &text) && str_equal(text, word);
}

/* Of an object without a choice; with one they may be anything. */
static bool names_failure(struct json_node chunk, bool plain)
{
	static const char *const failures[] = {
		"error_type",	 /* TGI, Databricks */
		"error_message", /* Databricks */
		"error_msg",	 /* Baidu */
		"error_code",	 /* Baidu, Databricks */
		"errors",	 /* Cloudflare */
		"detail",	 /* FastAPI: vLLM, SGLang, Replicate */
		"fault",	 /* Apigee */
	};
	static const char *const words[] = { "message", "msg", "Message" };
	static const char *const codes[] = { "code", "status", "statusCode", "type", "request_id" };
	bool success = true;

	(void)json_get_boolean(json_member(chunk, "success"), &success); /* Cloudflare, Zhipu */
	return !success || says_one(chunk, failures, COUNT(failures)) ||
	       says(json_member(chunk, "base_resp"), "status_code") || /* MiniMax */
	       (says_one(chunk, words, COUNT(words)) &&		       /* DashScope, Azure, AWS */
		(plain || says_one(chunk, codes, COUNT(codes))));
}

bool model_chunk_failed(struct json_node chunk, struct json_node choice, bool plain)
{
	/* "error" beside a good choice may be padding; OpenRouter has it within the choice, too. */
	if (says(chunk, "error") || says(choice, "error"))
		return true;
	if (is_word(json_member(chunk, "object"), STR("error"))) /* vLLM */
		return true;
	if (is_word(json_member(chunk, "type"), STR("error"))) /* Anthropic */
		return true;
	return !json_length(json_member(chunk, "choices")) && names_failure(chunk, plain);
}

static bool is_one(struct str reason, const struct str *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (str_same(reason, words[i]))
			return true;
	return false;
}

struct json_node model_chunk_cached(struct json_node usage)
{
	static const char *const names[] = {
		"prompt_cache_hit_tokens", /* DeepSeek */
		"cached_tokens",	   /* Moonshot */
		"cache_read_input_tokens", /* Anthropic's, as gateways pass it on: LiteLLM */
	};
	/* OpenAI, and nearly all: Azure, Gemini, vLLM, llama.cpp, OpenRouter, xAI. */
	struct json_node count =
		json_member(json_member(usage, "prompt_tokens_details"), "cached_tokens");
	size_t i;

	for (i = 0; i < COUNT(names) && json_type_of(count) != JSON_NUMBER; i++)
		count = json_member(usage, names[i]);
	return count;
}

bool model_chunk_ends(struct str reason)
{
	/* "" with every delta (Ollama of 2024); null made a word. */
	static const struct str none[] = { { "", 0 }, { "null", 4 }, { "None", 4 } };

	return !is_one(reason, none, COUNT(none));
}

struct str model_chunk_reason(struct json_node choice)
{
	struct str reason;

	return json_get_string(json_member(choice, "finish_reason"), &reason) ? reason : STR_NONE;
}

bool model_chunk_broke(struct str reason)
{
	static const struct str words[] = {
		{ "error", 5 },				 /* OpenRouter, vLLM, Mistral */
		{ "abort", 5 },				 /* vLLM, SGLang */
		{ "cancelled", 9 },			 /* TensorRT-LLM */
		{ "canceled", 8 },			 /* the same, spelled otherwise */
		{ "timeout", 7 },			 /* TensorRT-LLM */
		{ "network_error", 13 },		 /* Zhipu */
		{ "insufficient_system_resource", 28 },	 /* DeepSeek */
		{ "model_context_window_exceeded", 29 }, /* Anthropic, Zhipu */
	};

	return is_one(reason, words, COUNT(words));
}
