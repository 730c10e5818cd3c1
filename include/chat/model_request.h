/*
 * A request's body: what the chatbot asks for, what the operator adds, the messages, less what the
 * model's server does not take.  For model.c.  Knows no HTTP; rests on wire/frame.
 */
#ifndef CHAT_MODEL_REQUEST_H
#define CHAT_MODEL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "chat/model.h"
#include "wire/config.h"
#include "wire/frame.h"

/* Members that a server may refuse; as bits of a set: 1u << … */
enum model_member {
	MODEL_STREAM_OPTIONS,
	MODEL_TEMPERATURE,
	MODEL_MAX_TOKENS,
	MODEL_MAX_COMPLETION_TOKENS, /* the newer name of the one before */
	MODEL_MEMBERS
};

/* How many models' refusals are remembered; one more takes the oldest one's place. */
#define MODEL_KNOWN 16

struct model_request {
	struct buf body;
	struct frame frame;
	struct model_span {
		size_t at, n;
	} sent[MODEL_MEMBERS]; /* where in `body` each stands with its comma; n 0: it does not */
	size_t model_n;	       /* of `body`'s beginning: {"model":"…" */
	char number[24];
	struct str limit; /* of max_tokens, under whichever name: in `number` or `fallback_limit` */
	unsigned without; /* what this request leaves out, as bits */
	bool unproven;	  /* ... some of it since the server's last answer */
	char *fallback_name; /* where the chatbot names no model */
	/* The operator's members: those that are also a chatbot's (NULL: none), and all others. */
	char *fallback_temperature, *fallback_limit;
	struct buf extra;
	bool newer_limit; /* the operator's members say max_completion_tokens */
	struct model_known {
		char *model; /* as in `body`; NULL: unused */
		unsigned without;
	} known[MODEL_KNOWN];
	size_t next_known;
};

/* STATUS_NOMEM; then, too, it may be cleared. */
enum status model_request_init(struct model_request *request,
			       const struct config *config) MUST_CHECK;
void model_request_clear(struct model_request *request); /* a zeroed one is fine */

/* Begin, the messages, end. STATUS_NOMEM, for all of them, from the end. */
void model_request_begin(struct model_request *request, const struct model_options *options);
void model_request_message(struct model_request *request, struct str role, struct str text);
enum status model_request_end(struct model_request *request) MUST_CHECK;

/*
 * The server does not take these members (bits): rewrites the body without them, or, where it names
 * max_completion_tokens, with max_tokens under that name. Nobody may be reading the body.
 *   STATUS_OK
 *   STATUS_REFUSED  the body has none of them; it stays as it is
 *   STATUS_NOMEM    the body is lost
 */
enum status model_request_yield(struct model_request *request, unsigned members) MUST_CHECK;
/* The server took the body: what it leaves out is left out from now on, for this model. */
void model_request_taken(struct model_request *request);

#endif
