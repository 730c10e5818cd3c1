/*
 * The middle of an exchange: its model's servers are asked until one of them begins to answer, or it
 * was enough. Whom, when and how often, chat/attempts says; chat/breaker, whether a server may be
 * asked now. For turn.c, which does the rest.
 */
#ifndef CHAT_TURN_ASK_H
#define CHAT_TURN_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "chat/turn.h"

/* How the last request ended; STATUS_UNAVAILABLE too where there was no place for any. */
enum status turn_ask(struct turn *turn) MUST_CHECK;
/* Seconds for which a client should wait, where all servers had too much to do; 0: it was not that. */
int64_t turn_retry_s(const struct turn *turn);

#endif
