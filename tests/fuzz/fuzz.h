/*
 * What every fuzzer needs: a condition that ends the run, inputs in memory of exactly their size (so that a read beyond
 * them is seen), and pieces cut the same way whenever the input is the same.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/count.h"
#include "base/status.h"
#include "base/str.h"

/* libFuzzer calls it with every input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_fail(#condition, __FILE__, __LINE__);                                 \
	} while (0)

static inline void fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* A copy for free(); of nothing, the absent string. */
static inline struct str fuzz_copy(struct str text)
{
	char *own;

	if (!text.n)
		return STR_NONE;
	own = malloc(text.n);
	must(own);
	memcpy(own, text.p, text.n);
	return (struct str){ own, text.n };
}

static inline void fuzz_free(struct str copy)
{
	free((void *)(uintptr_t)copy.p);
}

enum fuzz_cut {
	FUZZ_BYTES, /* one byte a piece */
	FUZZ_SHORT, /* up to seven */
	FUZZ_ANY,   /* any length, none among them */
	FUZZ_CUTS,
};

/* How to cut a text: begins as a number made of its bytes. */
static inline uint64_t fuzz_seed(struct str text)
{
	uint64_t seed = 14695981039346656037u;
	size_t i;

	for (i = 0; i < text.n; i++)
		seed = (seed ^ (unsigned char)text.p[i]) * 1099511628211u;
	return seed;
}

/* Takes the next piece off *rest, as a copy. */
static inline struct str fuzz_piece(struct str *rest, enum fuzz_cut cut, uint64_t *seed)
{
	struct str piece = *rest;
	size_t random;

	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	random = (size_t)(*seed >> 33);
	if (cut == FUZZ_BYTES)
		piece.n = 1;
	else
		piece.n = cut == FUZZ_SHORT ? 1 + random % 7 : random % (rest->n + 1);
	if (piece.n > rest->n)
		piece.n = rest->n;
	*rest = str_skip(*rest, piece.n);
	return fuzz_copy(piece);
}

#endif
