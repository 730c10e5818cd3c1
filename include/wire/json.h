/*
 * JSON: a strict RFC 8259 validator in front of json-c (which, strict mode included, takes
 * NaN, single quotes, raw newlines and invalid UTF-8), and json-c behind typed getters.
 * Bytes in, values out.  json-c's own types stop here.
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#define JSON_MAX_DEPTH 32

/*
 * True if `text` is exactly one RFC 8259 value in valid UTF-8, nested at most JSON_MAX_DEPTH
 * deep (a scalar has depth 0, `[]` has depth 1), with no U+0000 (raw or \u0000) and no lone
 * surrogate in any string or member name.  White space around it is allowed, other bytes are not.
 */
bool json_valid(struct str text);
/* One parsed document; owns everything the getters lend. */
struct json;

/*
 * Parses a document that json_valid() takes; it must be an object.
 *   STATUS_INVALID  not valid, or not an object    STATUS_NOMEM
 */
enum status json_parse(struct str text, struct json **out) MUST_CHECK;
/*
 * One of at most `most` values, objects and arrays among them; else STATUS_INVALID. A parsed value takes
 * up to some 800 bytes, however short it is.
 */
enum status json_parse_most(struct str text, unsigned most, struct json **out) MUST_CHECK;
/*
 * Parses what a model server sent: an object, grammar as json_valid() but with raw invalid UTF-8
 * taken as it is, lone surrogates and U+0000 taken, and at most 100,000 values. NaN and Infinity are
 * absent; so are arrays and objects more than 64 deep, of which only brackets and quotes are looked
 * at.
 * A lone surrogate escape arrives as its three-byte form (ED A0..BF xx), so that utf8_joiner can
 * join halves that came in two documents; the text then goes through utf8_joiner before use.
 *   STATUS_INVALID, STATUS_NOMEM
 */
enum status json_parse_loose(struct str text, struct json **out) MUST_CHECK;
void json_free(struct json *json); /* NULL is fine */
/* Before a fork: what json-c chooses with a process's first document, whose page they then share. */
void json_warm(void);

/*
 * A borrowed node of a document. {NULL} is "absent"; JSON null is absent too. Getters take absent
 * nodes.
 */
struct json_node {
	void *object;
};

enum json_type {
	JSON_ABSENT, /* no such member, or null */
	JSON_BOOLEAN,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_node json_root(const struct json *json);
enum json_type json_type_of(struct json_node node);
/* The member of that name (the last of equal names); absent if none, or if `node` is no object. */
struct json_node json_member(struct json_node node, const char *name);
/* Number of elements; 0 if no array. */
size_t json_length(struct json_node node);
struct json_node json_element(struct json_node node, size_t index);

/*
 * True for what says nothing: what is absent, false, 0, "", and arrays and objects of nothing else.
 */
bool json_blank(struct json_node node);

/* Each: false, and *out untouched, if the node is not of that type. */
bool json_get_string(struct json_node node, struct str *out);
bool json_get_boolean(struct json_node node, bool *out);
/* A number without fraction or exponent that fits. */
bool json_get_integer(struct json_node node, int64_t *out);
/*
 * A root member's own bytes in the document, as they were sent (for metadata): numbers keep their
 * spelling, members their order and doubles.  Borrowed from `json`.  Only after json_parse().
 *   STATUS_INVALID  no such member, or null
 */
enum status json_member_text(const struct json *json, const char *name, struct str *out) MUST_CHECK;
/* Frees what only json_member_text() reads, which is as much as the document; it finds none from then on. */
void json_drop_text(struct json *json);

#endif
