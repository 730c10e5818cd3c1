/*
 * Why a model's server said no, as far as its words tell: the messages were too long for it, or it
 * does not take a member of the request.  For model.c.
 */
#ifndef CHAT_MODEL_REFUSAL_H
#define CHAT_MODEL_REFUSAL_H

#include <stdbool.h>

#include "base/str.h"
#include "chat/model_members.h"

/* More of an error's body than this says nothing new. */
#define MODEL_REFUSAL_CAP 16384

struct model_refusal {
	int http;	  /* the status; of an error inside a 200 the one that it names, else 0 */
	bool too_long;	  /* then no member is to blame */
	unsigned members; /* those that it does not take, as bits */
	bool unknown;	  /* ... whatever their value */
	bool renamed;	  /* of max_tokens: it wants max_completion_tokens in its place */
};

/* True for the HTTP statuses whose body is worth reading to tell. */
bool model_refusal_readable(int http);
/*
 * `body`: the error as it came, whole or its beginning. `http` 200: it came within an answer. `names`: of
 * the members that were sent and can be left out, each in its place; absent: it was not.
 */
void model_refusal_judge(int http, struct str body, const struct str names[MODEL_MEMBERS],
			 struct model_refusal *out);

#endif
