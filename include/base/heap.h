/*
 * malloc's heap, before processes are forked that share it. What is free in it lies scattered between
 * what is in use, and whatever a child puts there costs it a page of its own. Filled, a child's pieces lie
 * together behind the heap's end.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap_filling;

/* Takes what is free. NULL: nothing is, or there is no memory for it, which harms nobody. */
struct heap_filling *heap_fill(void);
void heap_drain(struct heap_filling *filling); /* NULL is fine */
/* Gives pages with nothing in use back to the kernel: a few microseconds, and more when they are used again. */
void heap_trim(void);
/* The same where much is free: after what took far more than usual. */
void heap_slim(void);
/*
 * Whether so much could still be had. The kernel is asked: malloc would have it lie in the heap from the
 * second time on, free, where heap_slim() finds it.
 */
bool heap_has_room(size_t bytes);

#endif
