/*
 * Reading a chat completions request.
 */
#include "ask.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"

void fault_set(struct fault *fault, unsigned code, const char *name, const char *param,
	       const char *message, ...)
{
	va_list args;

	*fault = (struct fault){
		.code = code,
		.type = code >= 500 ? "server_error" : "invalid_request_error",
		.name = name,
		.param = param,
	};
	va_start(args, message);
	vsnprintf(fault->message, sizeof(fault->message), message, args);
	va_end(args);
}

static void print_or_null(struct text *out, const char *string)
{
	if (string == NULL) {
		text_puts(out, "null");
		return;
	}
	text_puts(out, "\"");
	text_json(out, string, strlen(string));
	text_puts(out, "\"");
}

void fault_print(const struct fault *fault, struct text *out)
{
	text_puts(out, "{\"error\":{\"message\":");
	print_or_null(out, fault->message);
	text_puts(out, ",\"type\":");
	print_or_null(out, fault->type);
	text_puts(out, ",\"param\":");
	print_or_null(out, fault->param);
	text_puts(out, ",\"code\":");
	print_or_null(out, fault->name);
	text_puts(out, "}}\n");
}

const char *ask_role(struct json_object *message)
{
	struct json_object *role;

	if (!json_object_object_get_ex(message, "role", &role) ||
	    !json_object_is_type(role, json_type_string))
		return "";
	return json_object_get_string(role);
}

static void add_string(struct text *out, struct json_object *string)
{
	if (json_object_is_type(string, json_type_string))
		text_add(out, json_object_get_string(string),
			 (size_t)json_object_get_string_len(string));
}

void ask_text(struct json_object *message, struct text *out)
{
	struct json_object *content, *part;

	if (!json_object_object_get_ex(message, "content", &content))
		return;
	if (!json_object_is_type(content, json_type_array)) {
		add_string(out, content);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(content); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(content, i), "text", &part))
			add_string(out, part);
}

void ask_read(struct ask *ask, const char *body, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *messages;

	*ask = (struct ask){ .max_tokens = -1 };
	if (tokener == NULL)
		return;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	ask->root = json_tokener_parse_ex(tokener, body != NULL ? body : "", (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    !json_object_is_type(ask->root, json_type_object)) {
		json_object_put(ask->root);
		ask->root = NULL;
	}
	json_tokener_free(tokener);
	if (!json_object_object_get_ex(ask->root, "messages", &messages) ||
	    !json_object_is_type(messages, json_type_array))
		return;
	ask->messages = messages;
	for (size_t i = 0; i < json_object_array_length(messages); i++) {
		struct json_object *message = json_object_array_get_idx(messages, i);

		if (strcmp(ask_role(message), "user") == 0) {
			text_reset(&ask->last_user);
			ask_text(message, &ask->last_user);
		}
		ask_text(message, &ask->said);
		text_puts(&ask->said, "\n");
	}
}

static enum status check_message(struct json_object *message, size_t i, struct fault *fault)
{
	static const char *const roles[] = { "system", "developer", "user", "assistant", "tool" };
	struct json_object *content = NULL;
	const char *role = ask_role(message);
	bool known = false, texts;

	for (size_t k = 0; k < COUNT(roles); k++)
		known = known || strcmp(role, roles[k]) == 0;
	if (!known) {
		fault_set(fault, 400, "invalid_value", "messages",
			  "Invalid value for 'messages[%zu].role'.", i);
		return STATUS_INVALID;
	}
	json_object_object_get_ex(message, "content", &content);
	texts = json_object_is_type(content, json_type_string) ||
		json_object_is_type(content, json_type_array);
	if (!texts && strcmp(role, "assistant") != 0) {
		fault_set(
			fault, 400, "invalid_type", "messages",
			"Invalid type for 'messages[%zu].content': expected a string or an array.",
			i);
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

static enum status check_messages(struct ask *ask, struct fault *fault)
{
	if (ask->messages == NULL) {
		fault_set(fault, 400, "missing_required_parameter", "messages",
			  "Missing required parameter: 'messages'.");
		return STATUS_INVALID;
	}
	if (json_object_array_length(ask->messages) == 0) {
		fault_set(fault, 400, "empty_array", "messages",
			  "Invalid 'messages': empty array. Expected an array with minimum length "
			  "1.");
		return STATUS_INVALID;
	}
	for (size_t i = 0; i < json_object_array_length(ask->messages); i++)
		if (check_message(json_object_array_get_idx(ask->messages, i), i, fault) !=
		    STATUS_OK)
			return STATUS_INVALID;
	return STATUS_OK;
}

/* STATUS_OK, and *value if the member is there (null is as if it were not). */
static enum status member(struct ask *ask, const char *name, enum json_type type,
			  struct json_object **value, struct fault *fault)
{
	struct json_object *found;

	*value = NULL;
	if (!json_object_object_get_ex(ask->root, name, &found) || found == NULL)
		return STATUS_OK;
	if (!json_object_is_type(found, type) &&
	    !(type == json_type_double && json_object_is_type(found, json_type_int))) {
		fault_set(fault, 400, "invalid_type", name, "Invalid type for '%s': expected %s.",
			  name, json_type_to_name(type));
		return STATUS_INVALID;
	}
	*value = found;
	return STATUS_OK;
}

static enum status check_stream(struct ask *ask, struct fault *fault)
{
	struct json_object *value, *usage;

	if (member(ask, "stream", json_type_boolean, &value, fault) != STATUS_OK)
		return STATUS_INVALID;
	ask->stream = value != NULL && json_object_get_boolean(value);
	if (member(ask, "stream_options", json_type_object, &value, fault) != STATUS_OK)
		return STATUS_INVALID;
	if (value != NULL && !ask->stream) {
		fault_set(
			fault, 400, NULL, "stream_options",
			"The 'stream_options' parameter is only allowed when 'stream' is enabled.");
		return STATUS_INVALID;
	}
	if (json_object_object_get_ex(value, "include_usage", &usage))
		ask->include_usage = json_object_get_boolean(usage);
	return STATUS_OK;
}

static enum status check_numbers(struct ask *ask, struct fault *fault)
{
	static const char *const limits[] = { "max_tokens", "max_completion_tokens" };
	struct json_object *value;

	if (member(ask, "temperature", json_type_double, &value, fault) != STATUS_OK)
		return STATUS_INVALID;
	if (value != NULL &&
	    !(json_object_get_double(value) >= 0 && json_object_get_double(value) <= 2)) {
		fault_set(fault, 400, "decimal_above_max_value", "temperature",
			  "Invalid 'temperature': expected a value from 0 to 2.");
		return STATUS_INVALID;
	}
	for (size_t i = 0; i < COUNT(limits); i++) {
		if (member(ask, limits[i], json_type_int, &value, fault) != STATUS_OK)
			return STATUS_INVALID;
		if (value == NULL)
			continue;
		ask->max_tokens = json_object_get_int64(value);
		if (ask->max_tokens < 1) {
			fault_set(fault, 400, "integer_below_min_value", limits[i],
				  "Invalid '%s': integer below minimum value.", limits[i]);
			return STATUS_INVALID;
		}
	}
	if (member(ask, "n", json_type_int, &value, fault) != STATUS_OK)
		return STATUS_INVALID;
	if (value != NULL && json_object_get_int64(value) != 1) {
		fault_set(fault, 400, "unsupported_value", "n", "Only n = 1 is supported here.");
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

enum status ask_check(struct ask *ask, struct fault *fault)
{
	struct json_object *model;

	if (ask->root == NULL) {
		fault_set(fault, 400, NULL, NULL,
			  "We could not parse the JSON body of your request: one JSON object is "
			  "expected.");
		return STATUS_INVALID;
	}
	if (member(ask, "model", json_type_string, &model, fault) != STATUS_OK)
		return STATUS_INVALID;
	if (model == NULL || json_object_get_string_len(model) == 0) {
		fault_set(fault, 400, NULL, NULL, "you must provide a model parameter");
		return STATUS_INVALID;
	}
	ask->model = json_object_get_string(model);
	if (check_messages(ask, fault) != STATUS_OK || check_stream(ask, fault) != STATUS_OK)
		return STATUS_INVALID;
	return check_numbers(ask, fault);
}

void ask_clear(struct ask *ask)
{
	json_object_put(ask->root);
	text_clear(&ask->last_user);
	text_clear(&ask->said);
	*ask = (struct ask){ .max_tokens = -1 };
}
