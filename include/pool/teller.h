/*
 * Tells who asks (edge/control's CONTROL_SHOW) what the pool does: each is answered by a process of
 * its own, so that the master waits for nobody, and nothing of the answer stays with it.
 */
#ifndef POOL_TELLER_H
#define POOL_TELLER_H

#include "pool/children.h"

/* Answers all who came there (-1: nobody can). In the fresh processes it does not return. */
void teller_answer(const struct children *children, int listen_fd);

#endif
