/*
 * The words that servers have for "too long" and for "I do not know this".  Compared without regard
 * to case, anywhere in the error: each server puts them into another member, and a wrong guess
 * costs one more request.
 */
#include "chat/model_refusal.h"

#include <ctype.h>
#include <stddef.h>

#include "base/count.h"
#include "chat/model_members.h"

static const char *const too_long[] = {
	"context_length_exceeded",  /* OpenAI, Groq, OpenRouter: the code */
	"context length",	    /* OpenAI, vLLM, SGLang, DeepSeek, Mistral, Ollama, LM Studio */
	"context window",	    /* Anthropic, xAI, proxies such as LiteLLM */
	"context_window_exceeded",  /* Anthropic, Zhipu: the finish reason */
	"context size",		    /* llama.cpp */
	"exceed_context_size",	    /* llama.cpp: the type */
	"maximum model length",	    /* vLLM */
	"max_model_len",	    /* vLLM */
	"prompt is too long",	    /* Anthropic */
	"prompt too long",	    /* Ollama */
	"input token count",	    /* Gemini */
	"maximum number of tokens", /* Gemini */
	"`max_new_tokens` must be", /* TGI: `inputs` tokens + `max_new_tokens` must be <= N */
	"reduce the length",	    /* OpenAI, Groq, vLLM */
};

static const char *const unknown[] = {
	"unsupported",	   /* OpenAI: unsupported_parameter, unsupported_value */
	"not support",	   /* OpenAI: does not support 0.2 with this model; many: not supported */
	"unrecognized",	   /* OpenAI and Azure of 2024 */
	"unknown",	   /* Azure: unknown_parameter; Gemini: Unknown name */
	"extra_forbidden", /* Mistral, vLLM: pydantic's type */
	"extra inputs",	   /* and its words */
	"extra fields",	   /* those of its first version */
	"not permitted",   /* any */
	"not allowed",	   /* any */
	"unexpected",	   /* any */
	"additional propert", /* JSON Schema: additional properties are not allowed */
	"deprecated",	      /* Anthropic: of temperature */
};

bool model_refusal_readable(int http)
{
	return http == 400 || http == 413 || http == 422;
}

static bool holds_one(struct str text, const char *const *phrases, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (str_holds(text, str_from(phrases[i])))
			return true;
	return false;
}

bool model_refusal_too_long(int http, struct str body)
{
	if (http == 413) /* it says so itself */
		return true;
	return holds_one(body, too_long, COUNT(too_long));
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* As a whole word: max_tokens also ends other members' names. */
static bool names(struct str body, struct str member)
{
	size_t at;

	for (at = 0; at + member.n <= body.n; at++)
		if (memcmp(body.p + at, member.p, member.n) == 0 &&
		    (at == 0 || !is_word(body.p[at - 1])) &&
		    (at + member.n == body.n || !is_word(body.p[at + member.n])))
			return true;
	return false;
}

unsigned model_refusal_members(int http, struct str body)
{
	static const struct {
		struct str name;
		enum model_member member;
	} members[] = {
		{ { "stream_options", 14 }, MODEL_STREAM_OPTIONS },
		{ { "temperature", 11 }, MODEL_TEMPERATURE },
		{ { "max_tokens", 10 }, MODEL_MAX_TOKENS },
		{ { "max_completion_tokens", 21 }, MODEL_MAX_COMPLETION_TOKENS },
	};
	unsigned found = 0;
	size_t i;

	if ((http != 400 && http != 422) || !holds_one(body, unknown, COUNT(unknown)))
		return 0;
	for (i = 0; i < COUNT(members); i++)
		if (names(body, members[i].name))
			found |= 1u << members[i].member;
	return found;
}
