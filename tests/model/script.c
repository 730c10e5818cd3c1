/*
 * What a script says: its tokens, raw pieces and gates. (directive.c reads it.)
 */
#include "script.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

enum status script_from_tokens(struct script *script, struct json_object *tokens,
			       const char *finish)
{
	*script = (struct script){ .cut_after = -1, .end_after = -1, .error_after = -1 };
	script->root = json_object_new_object();
	script->finish = json_object_new_string(finish);
	if (script->root == NULL || json_object_object_add(script->root, "tokens", tokens) != 0) {
		json_object_put(tokens);
		json_object_put(script->finish);
		return STATUS_NO_MEMORY;
	}
	script->tokens = tokens;
	script->count = (int64_t)json_object_array_length(tokens);
	if (script->finish == NULL ||
	    json_object_object_add(script->root, "finish", script->finish) != 0)
		return STATUS_NO_MEMORY;
	return STATUS_OK;
}

void script_clear(struct script *script)
{
	json_object_put(script->root);
	*script = (struct script){ 0 };
}

static struct json_object *token_of(const struct script *script, size_t index)
{
	return script->tokens != NULL ? json_object_array_get_idx(script->tokens, index) : NULL;
}

void script_content(const struct script *script, size_t index, struct text *out)
{
	struct json_object *token = token_of(script, index), *value;

	if (script->tokens == NULL)
		text_printf(out, "word%zu ", index + 1);
	else if (json_object_is_type(token, json_type_string))
		text_json(out, json_object_get_string(token),
			  (size_t)json_object_get_string_len(token));
	else if (json_object_object_get_ex(token, "escaped", &value))
		text_puts(out, json_object_get_string(value));
	else if (json_object_object_get_ex(token, "b64", &value) &&
		 text_base64(out, json_object_get_string(value),
			     (size_t)json_object_get_string_len(value)) != STATUS_OK)
		out->failed = true;
}

void script_delta(const struct script *script, size_t index, struct text *out)
{
	struct json_object *token = token_of(script, index), *delta;
	size_t len;
	const char *json;

	if (json_object_object_get_ex(token, "delta", &delta)) {
		json = json_object_to_json_string_length(
			delta, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
		text_add(out, json + 1, len - 2);
	} else if (script->tokens != NULL && token == NULL) {
		text_puts(out, "\"content\":null");
	} else {
		text_puts(out, "\"content\":\"");
		script_content(script, index, out);
		text_puts(out, "\"");
	}
}

void script_raw(const struct script *script, size_t index, struct text *out)
{
	struct json_object *piece = json_object_array_get_idx(script->raw, index);
	const char *data = json_object_get_string(piece);
	size_t len = (size_t)json_object_get_string_len(piece);

	if (!script->raw_base64)
		text_add(out, data, len);
	else if (text_base64(out, data, len) != STATUS_OK)
		out->failed = true;
}

const char *script_gate(const struct script *script, size_t index)
{
	struct json_object *gate;
	char name[32];

	if (script->gates == NULL)
		return NULL;
	snprintf(name, sizeof(name), "%zu", index);
	if (!json_object_object_get_ex(script->gates, name, &gate))
		return NULL;
	return json_object_get_string(gate);
}
