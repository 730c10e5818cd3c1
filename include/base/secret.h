/* Randomness nobody can guess, names made of it, and the care of what must not be seen. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"

#define SECRET_ID_SIZE 27
#define SECRET_IDS 4

/*
 * Fills `out` from the kernel; ends the process where the kernel cannot (it then has no safe way
 * on).
 */
void secret_random(void *out, size_t n);
/*
 * A new id: 26 characters of Crockford's base 32 in lower case, 48 bits of time (so that
 * rows made together lie together) and 80 random bits; with its NUL.
 */
void secret_new_id(char out[SECRET_ID_SIZE]);
/* Several, SECRET_IDS at most, for which the kernel is asked once. */
void secret_new_ids(char *const ids[], size_t count);
/* Overwrites `name`'s value in this process's environment, then removes it: /proc shows neither. */
void secret_scrub_env(const char *name);
/* No core file, and no other process of this user may read our memory. */
void secret_protect_memory(void);

#endif
