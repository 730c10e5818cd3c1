/*
 * What a running exchange has to do with the database beside its stream, which never waits for it:
 * its lease is renewed, where no other process asks whether it is to end, it asks, and when its client
 * has left, what that means. For turn.c and turn_ask.c.
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
/*
 * Does what is due. STATUS_FAILED: the exchange is gone; STATUS_CLOSED: its client left, and it is not
 * to go on, or not any longer.
 */
enum status turn_keep(struct turn *turn) MUST_CHECK;
/*
 * Its client has left: it goes on, with nobody to hear it, until turn_keep() knows whether it may.
 * False: it is not played any more.
 */
bool turn_keep_left(struct turn *turn);
/* Where its client has left, waits until that is known: no model is asked for nobody. As turn_keep(), or wait_some(). */
enum status turn_keep_decide(struct turn *turn) MUST_CHECK;
/* clock_ms(): when it is to be called again, at the latest. */
int64_t turn_keep_at(const struct turn *turn);

#endif
