/* Between one answer's filter and what all workers remember.  Logs what changed, never a text. */
#include "chat/model_learning.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

void model_learning_begin(struct model_learning *learning, const struct model_server *server,
			  const struct model_options *options, struct model_reasoning *reasoning)
{
	struct str url = str_from(server->url);

	reasoning->mode = options->reasoning;
	reasoning->whole = options->whole;
	learning->known = reasoning->learned = false;
	learning->learns = learning->memory && options->conversation.p &&
			   options->reasoning == MODEL_REASONING_REMOVE;
	if (!learning->learns)
		return;
	learning->subject = reasoning_memory_subject(learning->memory, str_from(server->name), url,
						     options->name, options->conversation);
	learning->known = reasoning_memory_knows(learning->memory, &learning->subject);
	if (learning->known)
		reasoning->mode = MODEL_REASONING_BEGINS;
	reasoning->learned = learning->known;
	/* Without its query, which may hold a secret. */
	url.n = strcspn(url.p, "?");
	snprintf(learning->who, sizeof(learning->who), "%.*s at %.*s (%s)", STR_ARGS(options->name),
		 STR_ARGS(url), server->name);
}

void model_learning_end(struct model_learning *learning, const struct model_reasoning *reasoning)
{
	struct reasoning_memory *memory = learning->memory;
	const struct reasoning_subject *subject = &learning->subject;

	if (!learning->learns)
		return;
	if (learning->known) {
		if (reasoning->untold && reasoning_memory_forget(memory, subject))
			log_info("model %s: an answer came without reasoning: from now on text is "
				 "sent as it comes",
				 learning->who);
	} else if (!reasoning->lone) {
		if (reasoning->handed)
			reasoning_memory_missed(memory, subject);
	} else if (reasoning_memory_saw(memory, subject)) {
		log_info("model %s: its answers begin in reasoning, as %d conversations showed: "
			 "from "
			 "now on text is withheld until the reasoning ends",
			 learning->who, REASONING_CONVERSATIONS);
	}
}
