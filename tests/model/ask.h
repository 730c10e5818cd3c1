/*
 * One request to /v1/chat/completions: read from JSON, and judged as OpenAI's service judges it.
 */
#ifndef MODEL_ASK_H
#define MODEL_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"
#include "text.h"

struct json_object;

/* What is wrong with a request, in OpenAI's terms. */
struct fault {
	unsigned code; /* HTTP status */
	const char *type;
	const char *name;  /* the error's "code"; NULL: null */
	const char *param; /* NULL: null */
	char message[200];
};

struct ask {
	struct json_object
		*root; /* owns all that is borrowed here; NULL: the body is no JSON object */
	const char *model;
	bool stream;
	bool include_usage;
	int64_t max_tokens; /* -1: no limit */
	struct json_object *messages;
	struct text last_user; /* the text of the last user message; empty if there is none */
	struct text said;      /* the texts of all messages, one a line */
};

void fault_set(struct fault *fault, unsigned code, const char *name, const char *param,
	       const char *message, ...) PRINTS(5, 6);
/* Adds OpenAI's error object: {"error":{message,type,param,code}}. */
void fault_print(const struct fault *fault, struct text *out);

/* Reads as much as can be read (root, said), whatever is wrong with the rest. */
void ask_read(struct ask *ask, const char *body, size_t len);
/* STATUS_INVALID with a fault. Fills the rest of the ask; call after ask_read. */
enum status ask_check(struct ask *ask, struct fault *fault) MUST_CHECK;
void ask_clear(struct ask *ask);

/* Adds a message's text: a string, or the text parts of an array. */
void ask_text(struct json_object *message, struct text *out);
/* The role of a message; "" where it has none. */
const char *ask_role(struct json_object *message);

#endif
