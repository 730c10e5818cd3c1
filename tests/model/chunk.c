/*
 * Writing the JSON of answers.
 */
#include "chunk.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define CHUNK_CHOICE "\"choices\":[{\"index\":0,\"delta\":{"

enum {
	ID_LETTERS = 29,
	BYTES_PER_TOKEN = 4, /* how a prompt's tokens are guessed */
	TOKENS_PER_MESSAGE = 4,
};

static void add_id(struct text *out)
{
	static const char letters[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char random[ID_LETTERS] = { 0 };
	char id[ID_LETTERS];

	(void)!getrandom(random, sizeof(random), 0);
	for (size_t i = 0; i < ID_LETTERS; i++)
		id[i] = letters[random[i] % (sizeof(letters) - 1)];
	text_puts(out, "chatcmpl-");
	text_add(out, id, sizeof(id));
}

static void add_beginning(struct text *out, const struct ask *ask, const char *object)
{
	text_puts(out, "{\"id\":\"");
	add_id(out);
	text_printf(out, "\",\"object\":\"%s\",\"created\":%" PRId64 ",\"model\":\"", object,
		    (int64_t)time(NULL));
	text_json(out, ask->model, strlen(ask->model));
	text_puts(out, "\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_standin000\",");
}

static void add_object(struct text *out, struct json_object *object)
{
	text_puts(out, json_object_to_json_string_ext(
			       object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void add_usage(struct text *out, const struct ask *ask, const struct script *script)
{
	size_t prompt = ask->said.len / BYTES_PER_TOKEN +
			TOKENS_PER_MESSAGE * json_object_array_length(ask->messages);

	if (script->usage != NULL) {
		add_object(out, script->usage);
		return;
	}
	text_printf(out,
		    "{\"prompt_tokens\":%zu,\"completion_tokens\":%" PRId64
		    ",\"total_tokens\":%" PRId64
		    ",\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0}"
		    ",\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0"
		    ",\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}",
		    prompt, script->count, (int64_t)prompt + script->count);
}

void chunk_head(struct text *out, const struct ask *ask)
{
	add_beginning(out, ask, "chat.completion.chunk");
	text_puts(out, CHUNK_CHOICE);
}

void chunk_tail(struct text *out, const struct ask *ask, const char *finish)
{
	text_puts(out, "},\"logprobs\":null,\"finish_reason\":");
	text_puts(out, finish);
	text_puts(out, ask->include_usage ? "}],\"usage\":null}" : "}]}");
}

void chunk_usage(struct text *out, const struct ask *ask, const struct script *script,
		 const struct text *head)
{
	text_add(out, head->data, head->len - strlen(CHUNK_CHOICE));
	text_puts(out, "\"choices\":[],\"usage\":");
	add_usage(out, ask, script);
	text_puts(out, "}");
}

void chunk_plain_head(struct text *out, const struct ask *ask)
{
	add_beginning(out, ask, "chat.completion");
	text_puts(out,
		  "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
}

void chunk_plain_tail(struct text *out, const struct ask *ask, const struct script *script)
{
	text_puts(out,
		  "\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":");
	chunk_finish(out, script);
	text_puts(out, "}]");
	if (!script->no_usage) {
		text_puts(out, ",\"usage\":");
		add_usage(out, ask, script);
	}
	text_puts(out, "}\n");
}

void chunk_finish(struct text *out, const struct script *script)
{
	if (script->finish == NULL)
		text_puts(out, "null");
	else
		add_object(out, script->finish);
}

void chunk_error(struct text *out, const struct script *script)
{
	struct fault fault;

	if (script->error != NULL) {
		text_puts(out, "{\"error\":");
		add_object(out, script->error);
		text_puts(out, "}");
		return;
	}
	fault_set(&fault, script->status >= 400 ? (unsigned)script->status : 500, NULL, NULL,
		  "The server had an error while processing your request.");
	fault_print(&fault, out);
	out->len -= out->len > 0; /* no line end inside an event */
}
