/* A pool's inside, for pool/pool and what its loop is made of: pool/reload, pool/takeover. */
#ifndef POOL_POOL_INTERNAL_H
#define POOL_POOL_INTERNAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/heap.h"
#include "base/wait.h"
#include "edge/settings.h"
#include "pool/askers.h"
#include "pool/children.h"
#include "pool/handover.h"
#include "pool/listener.h"
#include "pool/pulse.h"
#include "pool/signals.h"
#include "pool/upgrade.h"
#include "pool/worker.h"
#include "wire/config.h"

/*
 * The master's slots: its listening sockets, once no worker watches them, who asks for a reload, the
 * admission process, who asks what the pool does, and the other masters of upgrades.
 */
enum pool_slot {
	SLOT_STATUS,
	SLOT_LISTEN,
	SLOT_ASKERS,
	SLOT_BELL,
	SLOT_TELLER,
	SLOT_UPGRADE,
	SLOT_HANDOVER,
	SLOT_BEFORE
};

struct pool {
	struct config *config;
	struct settings *settings;
	struct signals *signals;
	struct listener *web, *status;
	struct wait wait;
	struct children children;
	struct worker_tools *tools; /* of `config` */
	struct heap_filling *filling;
	struct heap_filling
		*refilling; /* where the start's connection was, until the first worker took it */
	struct askers askers;
	struct pulse pulse;
	struct upgrade *upgrade;
	struct handover *handover;
	bool owner; /* the sockets are ours, and not those of the master that started us any more */
	int tell_fd;	  /* who asks what the pool does; -1: nobody can */
	struct buf fixed; /* what the last reload could not change: names; "": nothing */
	bool unbound; /* a listening socket's file is gone, and the last reload could not help it */
};

/* What children are given of it, now. */
static inline struct children_sockets pool_sockets(const struct pool *pool)
{
	return (struct children_sockets){
		.listen_fd = pool->web->fd,
		.status_fd = pool->status->fd,
		.control_fd = pool->askers.listen_fd,
		.tell_fd = pool->tell_fd,
		.kept = pool->web->kept,
		.file = pool->web->file,
	};
}

#endif
