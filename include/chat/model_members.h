/*
 * The members of a request that not every server takes, and those that the operator adds: one set
 * for each server of the settings, with what it was seen to refuse. For chat/model's files. Knows
 * no HTTP; rests on wire/json.
 */
#ifndef CHAT_MODEL_MEMBERS_H
#define CHAT_MODEL_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* Members that a server may refuse; as bits of a set: 1u << … */
enum model_member {
	MODEL_STREAM_OPTIONS,
	MODEL_TEMPERATURE,
	MODEL_MAX_TOKENS,
	MODEL_MAX_COMPLETION_TOKENS, /* the newer name of the one before */
	MODEL_MEMBERS
};
/* As the protocol calls it. */
const char *model_member_name(enum model_member member);

/* How many models' refusals are remembered; one more takes the oldest one's place. */
#define MODEL_KNOWN 16

struct model_members {
	/* The operator's: those that are also a chatbot's (NULL: none), and all others. */
	char *temperature, *limit;
	bool several;	  /* they ask for several choices */
	bool newer_limit; /* `limit` is called max_completion_tokens there */
	struct buf extra; /* with a comma before each */
	struct model_known {
		char *model; /* NULL: unused */
		unsigned without;
	} known[MODEL_KNOWN];
	size_t next_known;
};

/*
 * `object`: the operator's members, JSON or "". STATUS_NOMEM, STATUS_INVALID; then, too, it may be
 * cleared.
 */
enum status model_members_init(struct model_members *members, struct str object) MUST_CHECK;
void model_members_clear(struct model_members *members); /* a zeroed one is fine */

/* What the server does not take for a model (as JSON has it), as bits. */
unsigned model_members_refused(const struct model_members *members, struct str model);
/* It took a request without these (bits), and is not sent them any more for this model. */
void model_members_learn(struct model_members *members, struct str model, unsigned without);

#endif
