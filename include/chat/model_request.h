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
#include "chat/model_refusal.h"
#include "wire/frame.h"

struct model_request {
	struct buf body;
	struct frame frame;
	size_t model_n; /* of `body`'s beginning: {"model":"…" */
	char temperature[MODEL_VALUE_SIZE],
		limit[MODEL_VALUE_SIZE]; /* their values; "": too long */
	unsigned sent;			 /* its members that can go, as bits */
	struct model_refused without;  /* what it leaves out that is not known to be refused yet */
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

/* What the server says it does not take of this request, for the options of the next one. */
struct model_refused model_request_refused(const struct model_request *request,
					   const struct model_refusal *refusal);
/* The names of what it has and can do without: absent where it has none. Borrowed. */
void model_request_names(const struct model_request *request, struct str names[MODEL_MEMBERS]);
/* The server took the body: what it leaves out is left out from now on, for this model. */
void model_request_taken(struct model_request *request);

#endif
