/*
 * Holes, taken size by size.  Rests on glibc's malloc, which goes beyond the heap's end only for what fits
 * nowhere else, and keeps small ones by their exact size; with another one little is taken, in vain.
 */
#include "base/heap.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP 16		 /* between malloc's sizes */
#define LARGEST 1040	 /* that is kept by its exact size; larger holes are cut into such */
#define MUCH (512 << 10) /* a usual exchange leaves less */
#define MOST (4 << 20)	 /* in all: nobody's heap has so many, and it ends with any malloc */

struct heap_filling {
	struct heap_filling *next;
};

void heap_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void heap_slim(void)
{
#ifdef __GLIBC__
	if (mallinfo2().fordblks > MUCH)
		heap_trim();
#endif
}

bool heap_has_room(size_t bytes)
{
	void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return room != MAP_FAILED && munmap(room, bytes) == 0;
}

struct heap_filling *heap_fill(void)
{
	struct heap_filling *filling = NULL, *one;
	size_t size = LARGEST, taken = 0;
	char *end;

	heap_trim(); /* or what fits into no hole would begin within the last page that is in use */
	end = sbrk(0);
	while (size >= STEP && taken < MOST) {
		one = malloc(size);
		if (!one)
			break;
		one->next = filling;
		filling = one;
		taken += size;
		if ((char *)one >= end)
			size -= STEP;
	}
	return filling;
}

void heap_drain(struct heap_filling *filling)
{
	struct heap_filling *next;

	for (; filling; filling = next) {
		next = filling->next;
		free(filling);
	}
}
