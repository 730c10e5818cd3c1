/* What lies below a frame is nobody's, and the kernel would keep it for good. Rests on madvise(2). */
#include "base/stack.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Deeper than any call goes. Nobody else has what lies there: the kernel keeps a gap below a stack. */
#define PAGES 32

void stack_trim(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	/* This call's own frames may reach into one more. */
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - page;

	/* It fails for where the stack has not grown to yet, and does the rest all the same. */
	(void)madvise((void *)(end - PAGES * page), PAGES * page, MADV_DONTNEED);
}
