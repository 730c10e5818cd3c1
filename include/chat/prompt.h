/*
 * The prompt: the messages that a model is to answer, put together from parts. Each part is asked
 * in its order and takes its share of one budget; a new one is a function and a row in prompt.c.
 * Knows who says what; the form of a request is chat/model's.
 */
#ifndef CHAT_PROMPT_H
#define CHAT_PROMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "chat/model.h"
#include "chat/store.h"

/*
 * What all parts together may have that can be shortened. The chatbot's system prompt and the new
 * message always go in whole, beside it. An exchange with nothing to be seen in its question or its
 * answer (utf8_blank()) goes in never, a system prompt without anything neither. Of a history that a
 * client keeps the same is true message by message, and one that was cut begins with a question.
 */
struct prompt_budget {
	int64_t messages;
	int64_t chars; /* code points; bytes count as such where all fits even so */
};

/* A message of a client's own history. */
struct prompt_message {
	bool assistant;
	struct str text;
};

/* All borrowed. */
struct prompt {
	const struct store_begun *begun; /* the system prompt, and the history */
	struct str message;		 /* the new one */
	struct prompt_budget budget;
	bool halved; /* at first: not */
	/* A history that its client keeps, in place of the stored one; NULL: none. */
	const struct prompt_message *said;
	size_t said_count;
};

/* Hands the messages to a request that was begun, in their order. */
void prompt_put(const struct prompt *prompt, struct model *model);
/* How many messages of the history it holds, and (*chars) how long they are. */
int prompt_history(const struct prompt *prompt, int64_t *chars);
/*
 * Leaves budget for half of the history's exchanges that it held until now, rounded down. False:
 * it held none, so there is nothing to leave out.
 */
bool prompt_halve(struct prompt *prompt);
/*
 * Once it was halved: the place in the conversation from which on it holds what is there, which is the
 * new message's where it holds no history. -1: it was not.
 */
int64_t prompt_from(const struct prompt *prompt);

#endif
