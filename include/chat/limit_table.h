/*
 * The memory behind chat/limit: its layout, its entries, and its
 * mending after a process died in the middle of a change.  Meaning (windows, caps) is limit.c's.
 *
 * All changes happen under the lock, and in an order that a death between any two stores leaves
 * nothing wrong that limit_table_lock() does not mend: the holders' lists say the truth about open
 * exchanges, the entries' `open` is only their sum.
 */
#ifndef CHAT_LIMIT_TABLE_H
#define CHAT_LIMIT_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/robust_lock.h"
#include "base/shared_memory.h"
#include "base/siphash.h"
#include "base/status.h"
#include "chat/limit.h"

#define LIMIT_ENTRIES 16384
#define LIMIT_WAYS 8 /* entries of a set: where a name may lie */
#define LIMIT_HOLDS 4

struct limit_entry {
	struct siphash name; /* of kind and name */
	int64_t ends;	     /* clock_ms() of its window's end */
	int64_t count;	     /* in the window */
	int64_t open;	     /* how often it stands in the holders' lists */
};

struct limit_held {
	struct siphash name;
	uint32_t entry;
};

struct limit_holder {
	pid_t pid; /* 0: nobody yet */
	uint64_t
		birth; /* the process's start as the kernel counts it, so that a pid used again is seen; 0: unknown */
	uint32_t n;
	struct limit_held holds[LIMIT_HOLDS];
};

struct limit_memory {
	struct shared_layout layout; /* sizes: entries, ways, holders */
	uint64_t key[2];
	struct robust_lock lock;
	struct limit_entry entries[LIMIT_ENTRIES];
	struct limit_holder holders[];
};

struct limit {
	struct limit_memory *memory;
	size_t bytes;
	uint32_t holders; /* our own copy: the shared one is not to be believed for bounds */
};

/*
 * Takes the lock, mending what a dead owner left. False: no lock to be had (logged); nothing may
 * be touched.
 */
bool limit_table_lock(struct limit *limit);
void limit_table_unlock(struct limit *limit);

struct siphash limit_table_name(const struct limit *limit, enum limit_kind kind, struct str who);
/*
 * Whether the holder's list has anything, without the lock: only the holder itself adds to it, so
 * that of one's own, or of a dead process, is sure. Where there are no caps, who ends need not wait
 * for a thousand others.
 */
bool limit_table_holds(const struct limit *limit, uint32_t holder);
/* The name's entry, or NULL. With the lock, as all below. */
struct limit_entry *limit_table_find(struct limit *limit, struct siphash name);
/*
 * As limit_table_find(), and makes one where there is none, in the place of one whose window is
 * over, else of the one whose window ends first. NULL: all places have open exchanges.
 */
struct limit_entry *limit_table_get(struct limit *limit, struct siphash name);
/* Writes one more hold of `entry` into the holder's list; false: it is full. */
bool limit_table_hold(struct limit *limit, uint32_t holder, struct limit_entry *entry);
/* Takes one hold of that name out of the holder's list. */
void limit_table_give(struct limit *limit, uint32_t holder, struct siphash name);
void limit_table_release(struct limit *limit, uint32_t holder);
/* Makes this process the holder's. */
void limit_table_claim(struct limit *limit, uint32_t holder);
/*
 * True if the holder's process lives; `exactly`: and is not another one with a used pid (slower:
 * reads /proc).
 */
bool limit_table_alive(const struct limit *limit, uint32_t holder, bool exactly);

#endif
