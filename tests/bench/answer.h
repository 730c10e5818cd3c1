/*
 * The checks on one answer, line by line: every token there, once, in order, and an end that says
 * so. Knows the lines of both ways to the model; not HTTP, which is client.c.
 */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

#define ANSWER_LINE 16384 /* bytes of the longest line: `done` repeats the whole answer */

enum answer_api {
	ANSWER_OPENAI,	 /* chat completion chunks as server-sent events */
	ANSWER_HEADLESS, /* Banter's NDJSON */
};

struct answer {
	enum answer_api api;
	unsigned wanted, seen; /* tokens */
	bool started, finished, counted, done;
	const char *fault; /* the first thing wrong; static text */
	int64_t first_at;  /* when the first token was read; 0: not yet */
	struct histogram *latency;
	size_t line_n, text_n;
	char line[ANSWER_LINE]; /* the beginning of a line that was cut */
	char text[ANSWER_LINE]; /* the joined tokens, for `done` to repeat */
};

/* Begins a new answer of `wanted` tokens; latencies go into `latency` (borrowed). */
void answer_begin(struct answer *answer, enum answer_api api, unsigned wanted,
		  struct histogram *latency);

/* More of the body, read at `now`. False: answer->fault says what is wrong. */
bool answer_feed(struct answer *answer, const char *bytes, size_t n, int64_t now);

/* The body has ended. False: answer->fault says what is missing. */
bool answer_end(struct answer *answer);

#endif
