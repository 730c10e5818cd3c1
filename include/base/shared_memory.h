/*
 * Memory that processes share: anonymous, for those forked from its maker, or a file, for those of
 * one user that nobody here forked.  Not for what is in it, but for the layout it begins with.
 */
#ifndef BASE_SHARED_MEMORY_H
#define BASE_SHARED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* What a file's memory begins with; compared as a whole with what its opener expects. */
struct shared_layout {
	char magic[8]; /* whose it is; not all NUL */
	uint32_t version;
	uint32_t sizes[3]; /* its maker's, such as numbers of entries */
	uint64_t bytes;	   /* of all of it */
	char boot
		[40]; /* the kernel's boot id, where its content means nothing after a reboot; else "" */
};

/*
 * A layout without sizes and boot id; `magic` has eight characters. No byte of it is left to chance:
 * it is compared as a whole.
 */
struct shared_layout shared_layout_of(const char *magic, uint32_t version, uint64_t bytes);
/* The kernel's boot id into layout->boot; "" where none is shown, or it cannot be read (logged). */
void shared_layout_boot(struct shared_layout *layout);

/* Fills fresh, zeroed memory behind its layout; false: it cannot (logged). */
typedef bool (*shared_memory_fill_fn)(void *memory);

/* Anonymous and zeroed, to be made before fork. NULL: no memory. */
void *shared_memory_new(size_t bytes);
/*
 * The same, of which nothing is taken but addresses until it is written to; NULL also where the
 * system promises no more memory than it has.
 */
void *shared_memory_reserve(size_t bytes);
/* Whole pages of such memory are given back: they are zeroes again. */
void shared_memory_drop(void *memory, size_t bytes);
/*
 * `path` NULL: anonymous memory, filled, to be made before fork. Else maps a file of that layout: 0600, made and filled when absent; one of our magic but of another
 * layout, owner or mode, or never finished, is replaced (who has it mapped keeps it); anything else
 * there is left alone.
 *   STATUS_NOMEM   of anonymous memory; *why stays as it is, and may be NULL then
 *   STATUS_FAILED  *why says why (a constant, or strerror's); of anonymous memory `fill` did
 */
enum status shared_memory_open(const char *path, const struct shared_layout *layout,
			       shared_memory_fill_fn fill, void **out, const char **why) MUST_CHECK;
/*
 * Maps a file of that layout to be read only, whoever it belongs to, and changes nothing.
 * STATUS_FAILED: *why says why.
 */
enum status shared_memory_look(const char *path, const struct shared_layout *layout, void **out,
			       const char **why) MUST_CHECK;
void shared_memory_free(void *memory, size_t bytes); /* NULL is fine; a file's content stays */

#endif
