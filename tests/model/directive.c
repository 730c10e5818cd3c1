/*
 * Reading a directive: "@@" and one JSON object, at the end of a message. One table says which
 * members there are; anything else is refused, so that a typing error in a test is seen at once.
 */
#include "script.h"

#include <json-c/json.h>
#include <string.h>

#include "base/count.h"

enum { COUNT_MAX = 10000000 };

typedef bool (*reader)(struct script *script, struct json_object *value, void *field);

static bool read_flag(struct script *script, struct json_object *value, void *field)
{
	(void)script;
	*(bool *)field = json_object_get_boolean(value);
	return json_object_is_type(value, json_type_boolean);
}

static bool read_count(struct script *script, struct json_object *value, void *field)
{
	int64_t count = json_object_get_int64(value);

	(void)script;
	*(int64_t *)field = count;
	return json_object_is_type(value, json_type_int) && count >= 0 && count <= COUNT_MAX;
}

static bool read_status(struct script *script, struct json_object *value, void *field)
{
	int64_t *status = field;

	return read_count(script, value, field) && *status >= 200 && *status <= 599;
}

static bool read_ms(struct script *script, struct json_object *value, void *field)
{
	double ms = json_object_get_double(value);

	(void)script;
	if (!json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double))
		return false;
	if (!(ms >= 0 && ms <= 1e9))
		return false;
	*(int64_t *)field = (int64_t)(ms * 1e6);
	return true;
}

static bool read_string(struct script *script, struct json_object *value, void *field)
{
	(void)script;
	*(struct json_object **)field = value;
	return json_object_is_type(value, json_type_string);
}

static bool read_object(struct script *script, struct json_object *value, void *field)
{
	(void)script;
	*(struct json_object **)field = value;
	return json_object_is_type(value, json_type_object);
}

static bool read_strings_object(struct script *script, struct json_object *value, void *field)
{
	if (!read_object(script, value, field))
		return false;
	json_object_object_foreach(value, name, member)
	{
		(void)name;
		if (!json_object_is_type(member, json_type_string))
			return false;
	}
	return true;
}

static bool read_finish(struct script *script, struct json_object *value, void *field)
{
	return value == NULL ? (*(struct json_object **)field = NULL, true)
			     : read_string(script, value, field);
}

static bool read_usage(struct script *script, struct json_object *value, void *field)
{
	script->no_usage = value == NULL;
	return value == NULL || read_object(script, value, field);
}

static bool is_base64(struct json_object *value)
{
	struct text bytes = { 0 };
	enum status status = STATUS_INVALID;

	if (json_object_is_type(value, json_type_string))
		status = text_base64(&bytes, json_object_get_string(value),
				     (size_t)json_object_get_string_len(value));
	text_clear(&bytes);
	return status == STATUS_OK;
}

static bool is_token(struct json_object *token)
{
	struct json_object *value;

	if (token == NULL || json_object_is_type(token, json_type_string))
		return true;
	if (!json_object_is_type(token, json_type_object) || json_object_object_length(token) != 1)
		return false;
	if (json_object_object_get_ex(token, "escaped", &value))
		return json_object_is_type(value, json_type_string);
	if (json_object_object_get_ex(token, "b64", &value))
		return is_base64(value);
	return json_object_object_get_ex(token, "delta", &value) &&
	       json_object_is_type(value, json_type_object);
}

static bool read_tokens(struct script *script, struct json_object *value, void *field)
{
	if (read_count(script, value, &script->count))
		return true;
	if (!json_object_is_type(value, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(value); i++)
		if (!is_token(json_object_array_get_idx(value, i)))
			return false;
	*(struct json_object **)field = value;
	script->count = (int64_t)json_object_array_length(value);
	return true;
}

static bool read_raw_with(struct script *script, struct json_object *value, bool base64)
{
	if (script->raw != NULL || !json_object_is_type(value, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *piece = json_object_array_get_idx(value, i);

		if (base64 ? !is_base64(piece) : !json_object_is_type(piece, json_type_string))
			return false;
	}
	script->raw = value;
	script->raw_base64 = base64;
	return true;
}

static bool read_raw(struct script *script, struct json_object *value, void *field)
{
	(void)field;
	return read_raw_with(script, value, false);
}

static bool read_raw_b64(struct script *script, struct json_object *value, void *field)
{
	(void)field;
	return read_raw_with(script, value, true);
}

static const struct {
	const char *name;
	reader read;
	size_t field;
} members[] = {
#define MEMBER(name, read, field)                                                                  \
	{                                                                                          \
		name, read, offsetof(struct script, field)                                         \
	}
	MEMBER("tokens", read_tokens, tokens),
	MEMBER("delay_ms", read_ms, delay),
	MEMBER("first_ms", read_ms, first),
	MEMBER("gates", read_strings_object, gates),
	MEMBER("silence", read_flag, silence),
	MEMBER("hang", read_flag, hang),
	MEMBER("drop", read_flag, drop),
	MEMBER("empty", read_flag, empty),
	MEMBER("finish", read_finish, finish),
	MEMBER("no_done", read_flag, no_done),
	MEMBER("cut_after", read_count, cut_after),
	MEMBER("end_after", read_count, end_after),
	MEMBER("error_after", read_count, error_after),
	MEMBER("error", read_object, error),
	MEMBER("status", read_status, status),
	MEMBER("body", read_string, body),
	MEMBER("content_type", read_string, content_type),
	MEMBER("headers", read_strings_object, headers),
	MEMBER("usage", read_usage, usage),
	MEMBER("raw", read_raw, raw),
	MEMBER("raw_b64", read_raw_b64, raw),
	MEMBER("split", read_count, split),
	MEMBER("crlf", read_flag, crlf),
	MEMBER("no_space", read_flag, no_space),
	MEMBER("comments", read_flag, comments),
#undef MEMBER
};

static bool read_member(struct script *script, const char *name, struct json_object *value)
{
	for (size_t i = 0; i < COUNT(members); i++)
		if (strcmp(members[i].name, name) == 0)
			return members[i].read(script, value, (char *)script + members[i].field);
	return false;
}

/* The bytes after the first "@@" that an object follows; NULL: no directive. */
static const char *find_directive(const struct text *message, size_t *len)
{
	const char *at = message->data, *end = at;

	if (message->len == 0)
		return NULL;
	end += message->len;
	while ((at = memmem(at, (size_t)(end - at), "@@", 2)) != NULL) {
		for (at += 2; at < end && *at == ' '; at++)
			;
		*len = (size_t)(end - at);
		if (at < end && *at == '{')
			return at;
	}
	return NULL;
}

enum status script_parse(struct script *script, const struct text *message, struct fault *fault)
{
	size_t len = 0;
	const char *directive;
	struct json_tokener *tokener;

	*script =
		(struct script){ .cut_after = -1, .end_after = -1, .error_after = -1, .count = 3 };
	directive = find_directive(message, &len);
	if (directive == NULL)
		return STATUS_END;
	tokener = json_tokener_new();
	if (tokener == NULL)
		return STATUS_NO_MEMORY;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	script->root = json_tokener_parse_ex(tokener, directive, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		fault_set(fault, 400, "bad_directive", NULL, "directive: %s at byte %zu",
			  json_tokener_error_desc(json_tokener_get_error(tokener)),
			  json_tokener_get_parse_end(tokener));
	json_tokener_free(tokener);
	if (script->root == NULL)
		return STATUS_INVALID;
	/* The default reason has to belong to something that lives as long as the script. */
	if (!json_object_object_get_ex(script->root, "finish", NULL) &&
	    json_object_object_add(script->root, "finish", json_object_new_string("stop")) != 0)
		return STATUS_NO_MEMORY;
	json_object_object_foreach(script->root, name, value)
	{
		if (!read_member(script, name, value)) {
			fault_set(fault, 400, "bad_directive", NULL,
				  "directive: '%s' is unknown, or its value is none it can have",
				  name);
			return STATUS_INVALID;
		}
	}
	if (script->empty)
		script->count = 0;
	return STATUS_OK;
}
