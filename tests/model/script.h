/*
 * The script of one answer: what to say, when, and which fault to play. It comes from a directive
 * in the last user message, or from a voice. README.md explains each member.
 */
#ifndef MODEL_SCRIPT_H
#define MODEL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask.h"
#include "status.h"
#include "text.h"

struct json_object;

/* Strings and objects are borrowed from `root`. Counts of -1: never. */
struct script {
	struct json_object *root;
	struct json_object *tokens; /* an array; NULL: `count` numbered words */
	int64_t count;
	int64_t delay; /* ns between two tokens */
	int64_t first; /* ns before the headers */
	struct json_object *gates;
	bool silence, hang, drop;
	bool empty, no_done, crlf, no_space, comments;
	int64_t cut_after, end_after, error_after;
	int64_t split;		    /* 0: whole events */
	struct json_object *finish; /* NULL: no finish reason */
	bool no_usage;
	struct json_object *usage;
	int64_t status;
	struct json_object *error;
	struct json_object *body;
	struct json_object *content_type;
	struct json_object *headers;
	struct json_object *raw;
	bool raw_base64;
};

/*
 * Fills the script from the directive in the text. STATUS_END: there is none; STATUS_INVALID with a
 * fault that names what is wrong. Call script_clear in any case.
 */
enum status script_parse(struct script *script, const struct text *message,
			 struct fault *fault) MUST_CHECK;
/* A script that says these tokens (taken: a JSON array of strings). */
enum status script_from_tokens(struct script *script, struct json_object *tokens,
			       const char *finish) MUST_CHECK;
void script_clear(struct script *script);

/* Adds the delta's members for the token with this index (from 0), without braces. */
void script_delta(const struct script *script, size_t index, struct text *out);
/* Adds the inside of the JSON string that the token's text is; nothing if it has no text. */
void script_content(const struct script *script, size_t index, struct text *out);
/* Adds the raw piece with this index (from 0). */
void script_raw(const struct script *script, size_t index, struct text *out);
/* The gate before the token with this index (from 1; 0: before the headers); NULL: none. */
const char *script_gate(const struct script *script, size_t index);

#endif
