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
	MODEL_STREAMED, /* without it: `false` is sent, and the answer comes in one piece */
	MODEL_STREAM_OPTIONS,
	MODEL_TEMPERATURE,
	MODEL_MAX_TOKENS,
	MODEL_MAX_COMPLETION_TOKENS, /* the newer name of the one before */
	MODEL_EXTRA,		     /* the first of the operator's others, in their order */
	MODEL_MEMBERS = 32	     /* of more than these nothing is left out */
};

/* A set of refused members. */
struct model_refused {
	unsigned members; /* bits */
	unsigned values; /* those of them of which only the value was refused, as far as it tells */
};

/* How many models' refusals are remembered; one more takes the oldest one's place. */
#define MODEL_KNOWN 16
/* How many refused values of a model, and how long a value may be to be one. */
#define MODEL_VALUES 8
#define MODEL_VALUE_SIZE 24

struct model_members {
	/* The operator's: those that are also a chatbot's (NULL: none), and all others. */
	char *temperature, *limit;
	bool several;	  /* they ask for several choices */
	bool newer_limit; /* `limit` is called max_completion_tokens there */
	struct buf extra; /* with a comma before each */
	struct model_known {
		char *model; /* NULL: unused */
		unsigned without;
		struct model_value {
			enum model_member member;
			char text[MODEL_VALUE_SIZE]; /* as JSON has it; "": unused */
		} values[MODEL_VALUES];
		size_t next_value;
	} known[MODEL_KNOWN];
	size_t next_known;
};

/*
 * `object`: the operator's members, JSON or "". STATUS_NOMEM, STATUS_INVALID; then, too, it may be
 * cleared.
 */
enum status model_members_init(struct model_members *members, struct str object) MUST_CHECK;
void model_members_clear(struct model_members *members); /* a zeroed one is fine */

/* As the protocol calls it; absent: there is no such one. Borrowed. */
struct str model_members_name(const struct model_members *members, enum model_member member);

/* What the server does not take for a model (as JSON has it), as bits. */
unsigned model_members_refused(const struct model_members *members, struct str model);
/* ... and whether it takes this value of a member that varies. */
bool model_members_takes(const struct model_members *members, struct str model,
			 enum model_member member, struct str value);
/*
 * It took a request without these (bits), and is not sent them any more for this model; ... or
 * without this value.
 */
void model_members_learn(struct model_members *members, struct str model, unsigned without);
void model_members_learn_value(struct model_members *members, struct str model,
			       enum model_member member, struct str value);

#endif
