/*
 * What an exchange counts, where its worker's wait says; nowhere is fine. For turn.c and turn_ask.c.
 * None of it makes a system call.
 */
#ifndef CHAT_TURN_COUNT_H
#define CHAT_TURN_COUNT_H

#include "base/status.h"
#include "chat/turn.h"

/* It was recorded, and is played. */
void turn_count_begun(const struct turn *turn);
/* What came by now was passed on. */
void turn_count_tokens(struct turn *turn);
/* A model's server is asked; and, again, when that is over. */
void turn_count_asked(const struct turn *turn);
void turn_count_answered(const struct turn *turn, enum status status);
/* It has ended, however. */
void turn_count_ended(struct turn *turn);

#endif
