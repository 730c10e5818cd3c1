/*
 * What the stubs and a test's own callbacks saw, in order, as one text that a test compares as a
 * whole. It allocates nothing, so that it works while allocations are made to fail.
 */
#ifndef STUB_JOURNAL_H
#define STUB_JOURNAL_H

#include "unit.h"

static struct {
	char text[1 << 18];
	size_t n;
} journal;

static inline void journal_clear(void)
{
	journal.n = 0;
	journal.text[0] = '\0';
}

__attribute__((format(printf, 1, 2))) static inline void note(const char *format, ...)
{
	size_t left = sizeof(journal.text) - journal.n;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(journal.text + journal.n, left, format, args);
	va_end(args);
	assert_in_range(n, 0, left - 1);
	journal.n += (size_t)n;
}

/* How often `word` stands in it. */
static inline int journal_count(const char *word)
{
	const char *at = journal.text;
	int count = 0;

	while ((at = strstr(at, word))) {
		count++;
		at += strlen(word);
	}
	return count;
}

#endif
