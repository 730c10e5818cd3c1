/*
 * RFC 8259 read by recursive descent, the plain way: what wire/json is compared with. Nothing of app/ is used, so that a
 * mistake there is not made here too.
 */
#ifndef ORACLE_JSON_H
#define ORACLE_JSON_H

#include <stdbool.h>

#include "base/str.h"

enum oracle_kind {
	ORACLE_NULL,
	ORACLE_BOOLEAN,
	ORACLE_NUMBER,
	ORACLE_STRING,
	ORACLE_ARRAY,
	ORACLE_OBJECT,
};

struct oracle_node {
	enum oracle_kind kind;
	struct str text;  /* its bytes in the document */
	struct str value; /* a string's, read */
	struct str name;  /* a member's, read */
	size_t count;	  /* of what is within */
	struct oracle_node *first, *next;
};

struct oracle_json {
	struct oracle_node *root; /* NULL: no JSON, or deeper than `most` */
	struct oracle_node *nodes;
	char *bytes; /* of all strings and names */
};

/*
 * Reads; oracle_json_clear() whatever came of it. Strict: valid UTF-8, neither U+0000 nor lone surrogates. Loose: any
 * bytes; a lone surrogate's escape becomes its three bytes. `most` arrays and objects may be open at once.
 */
void oracle_json_read(struct oracle_json *json, struct str text, bool loose, unsigned most);
void oracle_json_clear(struct oracle_json *json);

#endif
