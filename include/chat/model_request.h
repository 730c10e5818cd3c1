/*
 * A request's body: what the chatbot asks for, what the operator adds, the messages, less what the
 * server that is asked does not take.  For model.c.  Knows no HTTP; rests on wire/frame.
 */
#ifndef CHAT_MODEL_REQUEST_H
#define CHAT_MODEL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "chat/model.h"
#include "chat/model_members.h"
#include "wire/frame.h"

struct model_request {
	struct buf body;
	struct frame frame;
	struct model_span {
		size_t at, n;
	} sent[MODEL_MEMBERS]; /* where in `body` each stands with its comma; n 0: it does not */
	size_t model_n;	       /* of `body`'s beginning: {"model":"…" */
	char number[24];
	struct str limit; /* of max_tokens, under whichever name: in `number` or in `members` */
	unsigned without; /* what this request leaves out, as bits */
	bool unproven;	  /* ... some of it since the server's last answer */
	struct model_members *members; /* of the server that is asked; borrowed */
};

void model_request_init(struct model_request *request);
void model_request_clear(struct model_request *request); /* a zeroed one is fine */

/*
 * Begin, the messages, end. STATUS_NOMEM, for all of them, from the end. The options name a model;
 * `members`, those of the server that is asked, are borrowed until the next begin, and learn.
 */
void model_request_begin(struct model_request *request, struct model_members *members,
			 const struct model_options *options);
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
