/*
 * json-c behind the validator.  Whatever json-c would read its own way is mended or refused
 * before it sees it.
 */
#include "wire/json.h"

/* json-c has a type of the name that is ours everywhere else; here it goes by another. */
#define json_type jsonc_type
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#undef json_type
#include <limits.h>
#include <stdlib.h>

#include "wire/json_mend.h"
#include "wire/json_span.h"
#include "wire/json_valid.h"

struct json {
	struct json_object *root;
	char *text; /* the document, for json_member_text(); NULL of a loose one */
	size_t n;
};

bool json_valid(struct str text)
{
	return json_valid_scan(text, false, JSON_ANY_VALUES, NULL);
}

static bool is_object(struct str text)
{
	while (text.n && strchr(" \t\r\n", *text.p))
		text = str_skip(text, 1);
	return text.n && *text.p == '{';
}

/* The text is valid: what fails here fails for memory. */
static enum status build(struct str text, struct json_object **out)
{
	/* json-c counts a level for the scalars within, and one that it keeps free. */
	struct json_tokener *tokener = json_tokener_new_ex(JSON_LOOSE_DEPTH + 2);
	struct json_object *root;

	if (!tokener)
		return STATUS_NOMEM;
	root = json_tokener_parse_ex(tokener, text.p, (int)text.n);
	json_tokener_free(tokener);
	if (!root)
		return STATUS_NOMEM;
	*out = root;
	return STATUS_OK;
}

static enum status parse(struct str text, bool loose, unsigned most, struct json *json)
{
	struct buf mended;
	enum status status;
	bool odd;

	if (text.n > INT_MAX / 2 || !json_valid_scan(text, loose, most, &odd) || !is_object(text))
		return STATUS_INVALID;
	if (!odd)
		return build(text, &json->root);
	/* No escape grows; a number of 19 digits gains two bytes, "[]" too deep or "inf" at most two. */
	buf_init(&mended, 2 * text.n);
	json_mend(text, &mended);
	status = buf_check(&mended);
	if (status == STATUS_OK)
		status = build(buf_view(&mended), &json->root);
	buf_clear(&mended);
	return status;
}

enum status json_parse_loose(struct str text, struct json **out)
{
	struct json *json = calloc(1, sizeof(*json));
	enum status status;

	if (!json)
		return STATUS_NOMEM;
	status = parse(text, true, JSON_LOOSE_VALUES, json);
	if (status == STATUS_OK)
		*out = json;
	else
		json_free(json);
	return status;
}

enum status json_parse(struct str text, struct json **out)
{
	return json_parse_most(text, JSON_ANY_VALUES, out);
}

enum status json_parse_most(struct str text, unsigned most, struct json **out)
{
	struct json *json = calloc(1, sizeof(*json));
	enum status status;

	if (!json)
		return STATUS_NOMEM;
	status = parse(text, false, most, json);
	if (status != STATUS_OK)
		goto out;
	json->text = malloc(text.n);
	if (!json->text) {
		status = STATUS_NOMEM;
		goto out;
	}
	memcpy(json->text, text.p, text.n);
	json->n = text.n;
	*out = json;
	json = NULL;
out:
	json_free(json);
	return status;
}

void json_drop_text(struct json *json)
{
	free(json->text);
	json->text = NULL;
}

void json_free(struct json *json)
{
	if (!json)
		return;
	json_object_put(json->root);
	free(json->text);
	free(json);
}

struct json_node json_root(const struct json *json)
{
	return (struct json_node){ json->root };
}

void json_warm(void)
{
	struct json *json;

	if (json_parse(STR("{\"a\":0}"), &json) == STATUS_OK)
		json_free(json);
}

enum json_type json_type_of(struct json_node node)
{
	switch (json_object_get_type(node.object)) {
	case json_type_boolean:
		return JSON_BOOLEAN;
	case json_type_double:
	case json_type_int:
		return JSON_NUMBER;
	case json_type_string:
		return JSON_STRING;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_null:
		break;
	}
	return JSON_ABSENT;
}

struct json_node json_member(struct json_node node, const char *name)
{
	struct json_object *member = NULL;

	if (json_type_of(node) == JSON_OBJECT)
		json_object_object_get_ex(node.object, name, &member);
	return (struct json_node){ member };
}

size_t json_length(struct json_node node)
{
	return json_type_of(node) == JSON_ARRAY ? json_object_array_length(node.object) : 0;
}

struct json_node json_element(struct json_node node, size_t index)
{
	if (index >= json_length(node))
		return (struct json_node){ NULL };
	return (struct json_node){ json_object_array_get_idx(node.object, index) };
}

/* No deeper than a document may be. */
bool json_blank(struct json_node node)
{
	size_t i;

	switch (json_type_of(node)) {
	case JSON_ABSENT:
		return true;
	case JSON_BOOLEAN:
	case JSON_NUMBER:
		return !json_object_get_boolean(node.object); /* of a number too: whether it is 0 */
	case JSON_STRING:
		return !json_object_get_string_len(node.object);
	case JSON_ARRAY:
		for (i = 0; i < json_length(node); i++)
			if (!json_blank(json_element(node, i)))
				return false;
		return true;
	case JSON_OBJECT:
		break;
	}
	json_object_object_foreach(node.object, name, member)
	{
		(void)name;
		if (!json_blank((struct json_node){ member }))
			return false;
	}
	return true;
}

bool json_get_string(struct json_node node, struct str *out)
{
	if (json_type_of(node) != JSON_STRING)
		return false;
	out->p = json_object_get_string(node.object);
	out->n = (size_t)json_object_get_string_len(node.object);
	return true;
}

bool json_get_boolean(struct json_node node, bool *out)
{
	if (json_type_of(node) != JSON_BOOLEAN)
		return false;
	*out = json_object_get_boolean(node.object);
	return true;
}

bool json_get_integer(struct json_node node, int64_t *out)
{
	if (json_object_get_type(node.object) != json_type_int)
		return false;
	*out = json_object_get_int64(node.object);
	return true;
}

enum status json_member_text(const struct json *json, const char *name, struct str *out)
{
	struct str found = STR_NONE;

	if (json->text)
		found = json_span_member((struct str){ json->text, json->n }, str_from(name));
	if (!found.p || str_equal(found, STR("null")))
		return STATUS_INVALID;
	*out = found;
	return STATUS_OK;
}
