/*
 * The words that servers have for "too long" and for "not this member".  Compared without regard to
 * case: each server puts them into another member, and a wrong guess costs one more request. A
 * server that says which member it means (OpenAI's `param`, pydantic's `loc`) is believed; its words
 * may quote the messages.
 */
#include "chat/model_refusal.h"

#include <ctype.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/count.h"
#include "wire/json.h"

/* Both must stand there. */
struct phrase {
	const char *words, *more; /* NULL: no more */
};

static const struct phrase too_long[] = {
	{ "context_length_exceeded", NULL }, /* OpenAI, Groq, OpenRouter, Cerebras: the code */
	{ "context length", NULL }, /* OpenAI, vLLM, SGLang, DeepSeek, Mistral, Ollama, Fireworks */
	{ "context window", NULL }, /* Anthropic, MiniMax, llama-cpp-python, LiteLLM */
	{ "context_window_exceeded", NULL },	/* Z.ai, Anthropic: the finish reason */
	{ "context size", NULL },		/* llama.cpp */
	{ "context limit", NULL },		/* Anthropic: input length and max_tokens */
	{ "exceed_context_size", NULL },	/* llama.cpp: the type */
	{ "maximum model length", NULL },	/* vLLM */
	{ "max_model_len", NULL },		/* vLLM */
	{ "must be at least 1, got -", NULL },	/* vLLM: what is left for the answer */
	{ "max_seq_len", NULL },		/* SiliconFlow, TabbyAPI */
	{ "maximum sequence length", NULL },	/* TensorRT-LLM */
	{ "maximum input length", NULL },	/* TensorRT-LLM, Triton */
	{ "max_input_len", NULL },		/* TensorRT-LLM */
	{ "allowed token size", NULL },		/* NVIDIA NIM */
	{ "maximum prompt length", NULL },	/* xAI */
	{ "prompt is too long", NULL },		/* Anthropic, Fireworks */
	{ "prompt too long", NULL },		/* Ollama */
	{ "prompt exceeds max length", NULL },	/* Zhipu */
	{ "prompt token count", "exceed" },	/* Copilot */
	{ "max_prompt_tokens_exceeded", NULL }, /* Copilot: the code */
	{ "tokens_limit_reached", NULL },	/* GitHub Models: the code */
	{ "exceeded model token limit", NULL }, /* Moonshot */
	{ "range of input length", NULL },	/* DashScope */
	{ "max message tokens", NULL },		/* Volcengine */
	{ "input is too long", NULL },		/* Bedrock */
	{ "input token count", NULL },		/* Gemini, Vertex */
	{ "input tokens exceed", NULL },	/* OpenAI */
	{ "number of input tokens", NULL },	/* watsonx, Together */
	{ "maximum number of tokens", NULL },	/* Gemini */
	{ "maximum allowed", "input" },		/* any */
	{ "too many tokens", NULL },		/* Cohere, AI21 */
	{ "exceeds token limit", NULL },	/* any */
	{ "exceeds the token limit", NULL },	/* any */
	{ "token limit exceeded", NULL },	/* any */
	{ "tokens too long", NULL },		/* Baidu */
	{ "string too long", "messages" },	/* OpenAI: one message */
	{ "`max_new_tokens` must be",
	  NULL }, /* TGI: `inputs` tokens + `max_new_tokens` must be <= N */
	{ "`inputs` must have less", NULL }, /* TGI, Together */
	{ "reduce the length", NULL },	     /* OpenAI, Groq, Cerebras, vLLM */
	{ "reduce your prompt", NULL },	     /* OpenAI of old */
	{ "request too large", NULL },	     /* OpenAI, Groq: for the tokens of a minute */
};

/* It does not know the member. Other words are about its value. */
static const struct phrase unknown[] = {
	{ "unsupported parameter", NULL }, /* OpenAI */
	{ "unsupported_parameter", NULL }, /* its code */
	{ "not supported", NULL },	   /* many: is not supported with this model */
	{ "not support param", NULL },	   /* xAI */
	{ "unrecognized", NULL },	   /* OpenAI and Azure of 2024 */
	{ "unknown", NULL },		   /* Azure: unknown_parameter; Gemini: Unknown name */
	{ "extra_forbidden", NULL },	   /* Mistral, vLLM: pydantic's type */
	{ "extra inputs", NULL },	   /* and its words */
	{ "extra fields", NULL },	   /* those of its first version */
	{ "not permitted", NULL },	   /* any */
	{ "unexpected", NULL },		   /* any */
	{ "additional propert", NULL },	   /* JSON Schema: are not allowed */
	{ "deprecated", NULL },		   /* Anthropic: of temperature */
};
static const struct phrase value[] = { { "unsupported value", NULL },
				       { "unsupported_value", NULL } };
/* Of `stream`, beside its name. */
static const struct phrase streams[] = {
	{ "to stream", NULL },	      /* OpenAI: your organization must be verified to … */
	{ "support stream", NULL },   /* does not support streaming */
	{ "streaming is not", NULL }, /* … supported, available, allowed */
	{ "streaming not ", NULL },   /* … supported */
};

bool model_refusal_readable(int http)
{
	return http == 400 || http == 413 || http == 422 || http == 429 || http == 500;
}

static bool holds_one(struct str text, const struct phrase *phrases, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (str_holds(text, str_from(phrases[i].words)) &&
		    (!phrases[i].more || str_holds(text, str_from(phrases[i].more))))
			return true;
	return false;
}

static bool is_too_long(int http, struct str body)
{
	if (http == 413) /* it says so itself */
		return true;
	if (http == 429) /* others of these say "too many tokens" of a minute: waiting helps */
		return str_holds(body, STR("request too large"));
	return holds_one(body, too_long, COUNT(too_long));
}

/* The error's parts: what it says, and the paths of the members that it means. */
struct error {
	struct buf words;
	struct buf paths;
	bool said;    /* a sentence is among the words */
	int64_t code; /* 0: none */
};

static bool take_string(struct json_node node, const char *name, struct buf *out)
{
	struct str text;

	if (!json_get_string(json_member(node, name), &text) || !text.n)
		return false;
	buf_str(out, text);
	buf_putc(out, '\n');
	return true;
}

/* pydantic's list: {"loc":["body","temperature"],"msg":…,"type":…,"input":…} */
static void take_details(struct json_node details, struct error *error)
{
	struct json_node detail, loc;
	struct str step;
	size_t i, k;

	for (i = 0; i < json_length(details); i++) {
		detail = json_element(details, i);
		loc = json_member(detail, "loc");
		for (k = 0; k < json_length(loc); k++) {
			if (!json_get_string(json_element(loc, k), &step) ||
			    str_equal(step, STR("body")))
				continue;
			buf_str(&error->paths, step);
			buf_putc(&error->paths, '.');
		}
		error->said |= take_string(detail, "msg", &error->words);
		(void)take_string(detail, "type", &error->words);
	}
}

static void take_object(struct json_node node, struct error *error)
{
	static const char *const said[] = { "message", "msg",		"detail",
					    "error",   "error_message", "error_msg" };
	static const char *const kinds[] = { "type", "code", "error_type", "error_code" };
	static const char *const numbers[] = { "code", "status", "status_code" };
	struct str text;
	size_t i;

	for (i = 0; i < COUNT(said); i++)
		error->said |= take_string(node, said[i], &error->words);
	for (i = 0; i < COUNT(kinds); i++)
		(void)take_string(node, kinds[i], &error->words);
	/* OpenRouter's provider's. */
	(void)take_string(json_member(node, "metadata"), "raw", &error->words);
	(void)take_string(node, "param", &error->paths);
	take_details(json_member(node, "detail"), error);
	for (i = 0; i < COUNT(numbers) && !error->code; i++) {
		struct json_node number = json_member(node, numbers[i]);

		if (!json_get_integer(number, &error->code) && json_get_string(number, &text))
			(void)str_number(text, 10, &error->code);
		if (error->code < 400 || error->code > 599)
			error->code = 0;
	}
}

static void read_error(struct str body, struct error *error)
{
	struct json *json = NULL;
	struct json_node root;

	*error = (struct error){ .code = 0 };
	buf_init(&error->words, 2 * MODEL_REFUSAL_CAP);
	buf_init(&error->paths, MODEL_REFUSAL_CAP);
	if (json_parse_loose(body, &json) == STATUS_OK) {
		root = json_root(json);
		take_object(root, error);
		take_object(json_member(root, "error"), error);
		take_object(json_member(root, "message"),
			    error); /* Mistral: {"detail":[…]} there */
		json_free(json);
	}
	if (!error->said)
		buf_str(&error->words, body);
}

static void clear_error(struct error *error)
{
	buf_wipe(&error->words);
	buf_wipe(&error->paths);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Where it stands as a whole word: max_tokens also ends other members' names. text.n: nowhere. */
static size_t find_name(struct str text, struct str name)
{
	size_t at;

	for (at = 0; at + name.n <= text.n; at++)
		if (memcmp(text.p + at, name.p, name.n) == 0 &&
		    (at == 0 || !is_word(text.p[at - 1])) &&
		    (at + name.n == text.n || !is_word(text.p[at + name.n])))
			return at;
	return text.n;
}

static bool has_name(struct str text, struct str name)
{
	return find_name(text, name) < text.n;
}

/* In quotes of any kind: these are words of any error. */
static bool has_quoted(struct str text, struct str name)
{
	size_t at;

	for (at = 1; at + name.n < text.n; at++)
		if (memcmp(text.p + at, name.p, name.n) == 0 && strchr("'\"`", text.p[at - 1]) &&
		    text.p[at + name.n] == text.p[at - 1])
			return true;
	return false;
}

static bool names_in_words(struct str words, enum model_member member, struct str name)
{
	if (member == MODEL_STREAMED)
		return has_quoted(words, name) || holds_one(words, streams, COUNT(streams));
	if (str_equal(name, STR("user")))
		return has_quoted(words, name);
	return has_name(words, name) ||
	       (member == MODEL_MAX_COMPLETION_TOKENS && has_name(words, STR("max_tokens")));
}

/* "cannot both be specified": one of them is enough, the one that is named first. */
static unsigned first_of(struct str words, unsigned found, const struct str names[MODEL_MEMBERS])
{
	size_t first = words.n, at;
	unsigned one = found;
	int i;

	for (i = 0; i < MODEL_MEMBERS; i++) {
		at = found & 1u << i ? find_name(words, names[i]) : words.n;
		if (at < first) {
			first = at;
			one = 1u << i;
		}
	}
	return one;
}

static unsigned find_members(const struct error *error, const struct str names[MODEL_MEMBERS])
{
	struct str words = buf_view(&error->words), paths = buf_view(&error->paths);
	unsigned found = 0;
	int i;

	for (i = 0; i < MODEL_MEMBERS; i++)
		if (names[i].p && (paths.n ? has_name(paths, names[i])
					   : names_in_words(words, (enum model_member)i, names[i])))
			found |= 1u << i;
	if (!paths.n && found & 1u << MODEL_STREAM_OPTIONS)
		found &= ~(1u << MODEL_STREAMED); /* "only when 'stream' is set" */
	return str_holds(words, STR(" both ")) ? first_of(words, found, names) : found;
}

void model_refusal_judge(int http, struct str body, const struct str names[MODEL_MEMBERS],
			 struct model_refusal *out)
{
	struct error error;
	struct str words;

	read_error(body, &error);
	words = buf_view(&error.words);
	*out = (struct model_refusal){ .http = http / 100 == 2 ? (int)error.code : http };
	out->too_long = is_too_long(out->http ? out->http : http, words);
	if (!out->too_long && (out->http == 400 || out->http == 422 || out->http == 0)) {
		out->members = find_members(&error, names);
		out->unknown = holds_one(words, unknown, COUNT(unknown)) &&
			       !holds_one(words, value, COUNT(value));
		out->renamed = out->members & 1u << MODEL_MAX_TOKENS && out->unknown &&
			       has_name(words, STR("max_completion_tokens"));
	}
	clear_error(&error);
}
