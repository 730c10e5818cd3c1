/*
 * An upgrade without a gap: the running master starts the new program's beside itself, on its own
 * listening sockets and its queue, and ends once that one serves; if it cannot, all goes on as it
 * was. This is the old master's end; the new one's is pool/handover.h.
 */
#ifndef POOL_UPGRADE_H
#define POOL_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/status.h"
#include "edge/queue.h"
#include "edge/settings.h"

#define UPGRADE_WORDS 512

enum upgrade_state {
	UPGRADE_NONE,
	UPGRADE_STARTING,
	UPGRADE_FAILED, /* it is gone; `said` is why */
	UPGRADE_DONE,	/* it serves: what is left to us is to end */
};

/* What is handed over; the descriptors stay ours. */
struct upgrade_goods {
	int web_fd, status_fd;		    /* -1: none */
	const char *listen, *status_listen; /* by which settings they are open */
	bool kept;			    /* the first one is a service manager's */
	const struct queue *queue;
};

struct upgrade {
	char program[4096]; /* its absolute path; "": not known */
	char **argv;
	struct stat file; /* as it was when we were started */
	pid_t pid;	  /* of the new master, while it starts */
	int fd;		  /* to it; -1: none */
	int64_t until;
	bool asked; /* it is to take over: it said that it is up */
	bool cancelled;
	char said[UPGRADE_WORDS]; /* the last line of what it said */
	size_t n;
};

/* As main() was called. */
void upgrade_init(struct upgrade *upgrade, char **argv);
/* Whether the program's file is another one by now, or one is being started. */
bool upgrade_due(const struct upgrade *upgrade);
/*
 * Starts it, with the arguments and the environment that we had. STATUS_FAILED: `said` is why.
 */
enum status upgrade_start(struct upgrade *upgrade, const struct settings *settings,
			  const struct upgrade_goods *goods, int64_t now) MUST_CHECK;
/* What became of it by now; `fd` is to be watched meanwhile, and `until`. */
enum upgrade_state upgrade_look(struct upgrade *upgrade, int64_t now);
/* After UPGRADE_DONE: lets it speak for the service from here on. */
void upgrade_done(struct upgrade *upgrade);
/*
 * Ends it, if it is still starting: what it serves already has until then. Said twice, that ends now.
 * upgrade_look() says UPGRADE_FAILED once it has ended.
 */
void upgrade_cancel(struct upgrade *upgrade, int64_t until);

#endif
