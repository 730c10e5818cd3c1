/* What the two masters of an upgrade say to each other. Not for others than pool/upgrade.h's two files. */
#ifndef POOL_HANDOVER_H
#define POOL_HANDOVER_H

#include "pool/upgrade.h"

#define HANDOVER_SAYS_READY '\001'
#define HANDOVER_SAYS_GO '\002'
#define HANDOVER_SAYS_TAKEN '\003'

/*
 * Before execv(2): puts it all into the environment, and has the descriptors inherited. The service
 * manager's socket is not the new one's before the old one let go. STATUS_NOMEM, STATUS_FAILED.
 */
enum status handover_give(const struct handover *handover) MUST_CHECK;

#endif
