/*
 * What was learned of servers and models from their answers: that they begin in reasoning, which
 * nothing but a closing mark tells (S11). Fixed in size and without pointers, so that it can lie in
 * memory that all workers share. Holds hashes only. Knows no answer; chat/model tells it.
 */
#ifndef CHAT_REASONING_MEMORY_H
#define CHAT_REASONING_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/robust_lock.h"
#include "base/siphash.h"
#include "base/status.h"
#include "base/str.h"

/* A visitor may ask for a literal closing mark: so many different conversations in a row must have it. */
#define REASONING_CONVERSATIONS 3
/* Servers and models; one more takes the place of that which was not spoken of for longest. */
#define REASONING_ENTRIES 64

struct reasoning_memory {
	uint64_t key[2];
	struct robust_lock lock;
	_Atomic uint64_t clock; /* counts what was told */
	struct reasoning_entry {
		struct siphash name;
		uint64_t told; /* when, by `clock`; 0: unused */
		uint32_t count;
		uint64_t conversations[REASONING_CONVERSATIONS];
	} entries[REASONING_ENTRIES];
};

/* In zeroed memory, once, by whoever made it. STATUS_FAILED: logged. */
enum status reasoning_memory_init(struct reasoning_memory *memory) MUST_CHECK;

/* Who is spoken of, and in which conversation. */
struct reasoning_subject {
	struct siphash name;
	uint64_t conversation;
};

/* A server by its name and address, a model as it knows it, a conversation by its id. */
struct reasoning_subject reasoning_memory_subject(const struct reasoning_memory *memory,
						  struct str server, struct str url,
						  struct str model, struct str conversation);

/* Where no lock is to be had (logged), nothing is known and nothing learned. */

/* True if its answers begin in reasoning. */
bool reasoning_memory_knows(struct reasoning_memory *memory,
			    const struct reasoning_subject *subject);
/* An answer had a closing mark alone. True: that made it known. */
bool reasoning_memory_saw(struct reasoning_memory *memory, const struct reasoning_subject *subject);
/* An answer had none: what is not known yet is counted anew. */
void reasoning_memory_missed(struct reasoning_memory *memory,
			     const struct reasoning_subject *subject);
/* An answer that was withheld ended without. True: it was known, and is no more. */
bool reasoning_memory_forget(struct reasoning_memory *memory,
			     const struct reasoning_subject *subject);

#endif
