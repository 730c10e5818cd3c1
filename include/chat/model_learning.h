/*
 * How an answer's reasoning is taken: as the chatbot says, else as earlier answers of its server and
 * model showed; and what this answer shows is remembered. For model.c. Rests on reasoning_memory.
 */
#ifndef CHAT_MODEL_LEARNING_H
#define CHAT_MODEL_LEARNING_H

#include <stdbool.h>

#include "chat/model.h"
#include "chat/model_reasoning.h"
#include "chat/reasoning_memory.h"
#include "wire/config.h"

struct model_learning {
	struct reasoning_memory *memory; /* borrowed; NULL: nothing is remembered */
	struct reasoning_subject subject;
	bool learns; /* this answer's chatbot leaves it to what is known */
	bool known;
	char who[256]; /* for the log */
};

/* Before an answer: sets its mode. The options name a model. */
void model_learning_begin(struct model_learning *learning, const struct model_server *server,
			  const struct model_options *options, struct model_reasoning *reasoning);
/* Behind an answer that was whole. */
void model_learning_end(struct model_learning *learning, const struct model_reasoning *reasoning);

#endif
