/*
 * What a running exchange has to do with the database beside its stream, which never waits for it:
 * its lease is renewed, and where no other process asks whether it is to end, it asks. For turn.c and
 * turn_ask.c.
 */
#ifndef CHAT_TURN_KEEP_H
#define CHAT_TURN_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "chat/turn.h"

/* It is played from now on. */
void turn_keep_begin(struct turn *turn);
void turn_keep_end(struct turn *turn);
/* Does what is due. False: the exchange is gone. */
bool turn_keep(struct turn *turn) MUST_CHECK;
/* clock_ms(): when it is to be called again, at the latest. */
int64_t turn_keep_at(const struct turn *turn);

#endif
