/*
 * What the workers of a host know together of the health of the model servers: plain memory, without
 * pointers, zeroed at its beginning; it lies in chat/model_shared. For breaker.c. There is no lock:
 * what is known of a server is one word, and each change of it one compare-and-swap, so that a death
 * at any moment leaves nothing half done.
 */
#ifndef CHAT_BREAKER_MEMORY_H
#define CHAT_BREAKER_MEMORY_H

#include <stdatomic.h>
#include <stdint.h>

/* Servers known at once; files of other settings may share the memory. */
#define BREAKER_ENTRIES 64

enum breaker_kind {
	BREAKER_CLOSED,	 /* it is asked */
	BREAKER_OPENED,	 /* it is not, before `until` */
	BREAKER_PROBING, /* one request finds out, until `until` at the latest */
};

/* All of its 64 bits are used: it is compared as a whole. */
struct breaker_state {
	uint32_t kind : 2;
	uint32_t level : 4; /* how often its pause has grown */
	uint32_t who : 26;  /* CLOSED: failures in a row; PROBING: the prober's pid, below 2^22 */
	uint32_t until;	    /* clock_ms() in tenths of a second */
};

struct breaker_entry {
	_Atomic uint64_t id;  /* of the server's settings; 0: free */
	_Atomic int64_t used; /* clock_ms(): the oldest gives way */
	_Atomic struct breaker_state state;
};

struct breaker_memory {
	struct breaker_entry entries[BREAKER_ENTRIES];
};

/* The entry of that id; NULL: there is none. */
struct breaker_entry *breaker_memory_find(struct breaker_memory *memory, uint64_t id);
/* As breaker_memory_find(), and makes one where there is none, in the oldest one's place. */
struct breaker_entry *breaker_memory_get(struct breaker_memory *memory, uint64_t id);

#endif
