/*
 * The new master's end of an upgrade (pool/upgrade.h): what it is given by the old one, and what they
 * say to each other, over one socket. That is its standard error while it starts, so that whatever it
 * says is heard, the loader's words too. Then it says READY, the old one GO and, told TAKEN, closes.
 */
#ifndef POOL_HANDOVER_H
#define POOL_HANDOVER_H

#include <stdbool.h>

#include "base/status.h"
#include "base/wait.h"
#include "edge/queue.h"
#include "wire/config.h"

#define HANDOVER_SAYS_READY '\001'
#define HANDOVER_SAYS_GO '\002'
#define HANDOVER_SAYS_TAKEN '\003'

/* What a new master was given. */
struct handover {
	int fd;		       /* to the old master; -1: there is none, or it has let go */
	int before;	       /* that master's pidfd, until it has ended; -1: there is none */
	int web_fd, status_fd; /* -1: none */
	const char *listen, *status_listen; /* the settings by which they are open; to give only */
	bool kept;			    /* the first one is a service manager's */
	int queue[QUEUE_ENDS];
	int error_fd; /* standard error as the old one has it; -1: we have it again */
};

#define HANDOVER_NONE                                                                              \
	((struct handover){ .fd = -1, .before = -1, .web_fd = -1, .status_fd = -1, .error_fd = -1 })

/*
 * Before execv(2): puts it all into the environment, and has the descriptors inherited. The service
 * manager's socket is not the new one's before the old one let go. STATUS_NOMEM, STATUS_FAILED.
 */
enum status handover_give(const struct handover *handover) MUST_CHECK;
/*
 * At the start, before the environment is read. STATUS_FAILED: we cannot take what was given
 * (logged).
 */
enum status handover_take(struct handover *handover) MUST_CHECK;
/*
 * Those settings are as they were, whatever they would be by now: what would have changed is said.
 * STATUS_NOMEM.
 */
enum status handover_keep(const struct handover *handover, struct config *config) MUST_CHECK;
/* The start went well: standard error is as the old one's. */
void handover_started(struct handover *handover);
/* All workers are up. */
void handover_ready(struct handover *handover);
enum handover_word {
	HANDOVER_NOTHING,
	HANDOVER_GO,	/* it is ours: to be answered by handover_taken() */
	HANDOVER_ALONE, /* the old master has let go, or is no more */
};
enum handover_word handover_look(struct handover *handover);
void handover_taken(struct handover *handover);
/*
 * Once it has let go it still has exchanges, and may have a master before itself: who ends us means
 * all of them. handover_tell: it is to stop, and how. handover_stands: it has not ended.
 */
void handover_tell(const struct handover *handover, enum wait_stop stop);
bool handover_stands(struct handover *handover);

#endif
