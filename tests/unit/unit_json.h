/* What the tests of wire/json share. */
#ifndef UNIT_JSON_H
#define UNIT_JSON_H

#include "unit.h"

#include "wire/json.h"

/* The document as a member of an object, in a piece of memory of exactly its size. */
static inline char *wrap(struct str text, struct str *out)
{
	struct buf buf;
	char *exact;

	buf_init(&buf, 1000);
	buf_puts(&buf, "{\"k\":");
	buf_str(&buf, text);
	buf_putc(&buf, '}');
	exact = malloc(buf.len);
	assert_non_null(exact);
	memcpy(exact, buf.data, buf.len);
	*out = (struct str){ exact, buf.len };
	buf_clear(&buf);
	return exact;
}

static inline enum status parsed(struct str text, bool loose)
{
	struct json *json = NULL;
	enum status status;

	status = loose ? json_parse_loose(text, &json) : json_parse(text, &json);
	assert_int_equal(json != NULL, status == STATUS_OK);
	json_free(json);
	return status;
}

static inline struct json *must_parse(struct str text, bool loose)
{
	struct json *json = NULL;

	if (loose)
		assert_int_equal(json_parse_loose(text, &json), STATUS_OK);
	else
		assert_int_equal(json_parse(text, &json), STATUS_OK);
	return json;
}

#endif
