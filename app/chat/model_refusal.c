/*
 * The words that servers have for "too long".  Compared without regard to case, anywhere in the error:
 * each server puts them into another member, and a wrong guess costs one more request.
 */
#include "chat/model_refusal.h"

#include <stddef.h>
#include <strings.h>

static const char *const phrases[] = {
	"context_length_exceeded",  /* OpenAI, Groq, OpenRouter: the code */
	"context length",	    /* OpenAI, vLLM, SGLang, DeepSeek, Mistral, Ollama, LM Studio */
	"context window",	    /* Anthropic, xAI, proxies such as LiteLLM */
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

bool model_refusal_readable(int http)
{
	return http == 400 || http == 413 || http == 422;
}

static bool holds(struct str text, struct str phrase)
{
	for (; text.n >= phrase.n; text = str_skip(text, 1))
		if (strncasecmp(text.p, phrase.p, phrase.n) == 0)
			return true;
	return false;
}

bool model_refusal_too_long(int http, struct str body)
{
	size_t i;

	if (http == 413) /* it says so itself */
		return true;
	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (holds(body, str_from(phrases[i])))
			return true;
	return false;
}
