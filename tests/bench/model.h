/*
 * One connection of the bench model: requests in, the true stream of chat completion chunks out,
 * one write for each token, or for as many as the wish says. Scheduling is model.c's.
 */
#ifndef BENCH_MODEL_H
#define BENCH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_IN 65536	/* bytes of the longest request */
#define MODEL_OUT 65536 /* of what is written at once, and of what a full socket left over */

struct talk {
	int fd;		       /* -1: free */
	bool running;	       /* an answer is under way */
	bool usage;	       /* it was asked for */
	bool blocked;	       /* the socket is full: the rest goes when it is writable */
	unsigned tokens, sent; /* wanted; already out */
	unsigned burst;	       /* tokens of one write, together when the first is due */
	int64_t began, gap;    /* ns; token K is due at began + K * gap */
	uint64_t number;       /* of the request, for its id */
	size_t in_n, out_n;
	char in[MODEL_IN], out[MODEL_OUT];
};

/* A talk on a new connection. Not by assignment: its pages would all be touched. */
void talk_begin(struct talk *talk, int fd);

/* Reads what there is and begins an answer when a request is whole. False: close the connection. */
bool talk_read(struct talk *talk, uint64_t *requests);

/* Writes what was left over. False: close the connection. */
bool talk_write(struct talk *talk);

/* Sends the next tokens, or the answer's end behind the last one. False: close the connection. */
bool talk_step(struct talk *talk);

/* When talk_step() is to be called: BENCH_NEVER while there is nothing to send, or no room. */
int64_t talk_due(const struct talk *talk);

#endif
