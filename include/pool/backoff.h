/*
 * The pause before a child that died is replaced: it grows while they die young, so that what fells
 * all of them does not make us fork without end: up to 30 s where they do not even come up, up to
 * 1 s where they do. All times are clock_ms()'s.
 */
#ifndef POOL_BACKOFF_H
#define POOL_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	int64_t ms;	  /* the last one; 0: there was none */
	int64_t start_at; /* not before */
};

/* One could not be started. */
void backoff_grow(struct backoff *backoff, int64_t now);
/* One has died that nobody had told to end, or is stuck; `up`: it could have served. */
void backoff_after_death(struct backoff *backoff, bool up, int64_t born, int64_t now);
/* One ended as it should, but without having served anything. */
void backoff_after_end(struct backoff *backoff, int64_t born, int64_t now);
/* How many ms are left of it. */
int64_t backoff_left(const struct backoff *backoff, int64_t now);

#endif
