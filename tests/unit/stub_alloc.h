/*
 * Every allocation of ours fails once, in turn ("torture"), and none is left behind. Only for
 * programs linked with --wrap for malloc, calloc, realloc, strdup and free, as the Makefile links
 * tests named …_torture. What libraries allocate for themselves is not touched.
 */
#ifndef STUB_ALLOC_H
#define STUB_ALLOC_H

#include "unit.h"

/* Weak: a program linked without the flags links, and says so in alloc_torture(). */
void *__real_malloc(size_t n) __attribute__((weak));
void *__real_calloc(size_t count, size_t n) __attribute__((weak));
void *__real_realloc(void *memory, size_t n) __attribute__((weak));
char *__real_strdup(const char *text) __attribute__((weak));
void __real_free(void *memory) __attribute__((weak));

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *memory, size_t n);
char *__wrap_strdup(const char *text);
void __wrap_free(void *memory);

static struct {
	long count;   /* since the round began */
	long fail_at; /* 0: none */
	long alive;
} stub_alloc;

static inline bool alloc_fails(void)
{
	return ++stub_alloc.count == stub_alloc.fail_at;
}

static inline void *alloc_made(void *memory)
{
	stub_alloc.alive += memory != NULL;
	return memory;
}

void *__wrap_malloc(size_t n)
{
	return alloc_fails() ? NULL : alloc_made(__real_malloc(n));
}

void *__wrap_calloc(size_t count, size_t n)
{
	return alloc_fails() ? NULL : alloc_made(__real_calloc(count, n));
}

void *__wrap_realloc(void *memory, size_t n)
{
	void *moved;

	if (alloc_fails())
		return NULL;
	moved = __real_realloc(memory, n);
	return memory ? moved : alloc_made(moved);
}

char *__wrap_strdup(const char *text)
{
	return alloc_fails() ? NULL : alloc_made(__real_strdup(text));
}

void __wrap_free(void *memory)
{
	stub_alloc.alive -= memory != NULL;
	__real_free(memory);
}

/*
 * Calls `one_round` until no allocation is left to fail: once with the first one failing, once with
 * the second, and so on, and a last time with none. Returns how many failed.
 */
static inline long alloc_torture(void (*one_round)(bool failing))
{
	long at;

	for (at = 1;; at++) {
		stub_alloc.count = 0;
		stub_alloc.fail_at = at;
		one_round(true);
		stub_alloc.fail_at = 0;
		assert_int_equal(stub_alloc.alive, 0);
		if (stub_alloc.count < at)
			break;
	}
	one_round(false);
	assert_int_equal(stub_alloc.alive, 0);
	if (at == 1)
		print_error("no allocation was seen: is this program linked with --wrap?\n");
	assert_true(at > 1);
	return at - 1;
}

#endif
