/* The exchange a process runs.  Rests on its number, which is 0 while the rest is written. */
#include "base/running.h"

#include <string.h>

#include "base/str.h"

void running_begin(struct running *running, int64_t workspace, const char *exchange)
{
	if (!running)
		return;
	if (++running->last == 0)
		running->last = 1;
	atomic_store_explicit(&running->number, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&running->workspace, workspace, memory_order_relaxed);
	memccpy(running->exchange, exchange, '\0', sizeof(running->exchange) - 1);
	atomic_store_explicit(&running->number, running->last, memory_order_release);
}

void running_over(struct running *running)
{
	if (running)
		atomic_store_explicit(&running->number, 0, memory_order_relaxed);
}

bool running_read(const struct running *running, struct running_exchange *out)
{
	uint32_t number = atomic_load_explicit(&running->number, memory_order_acquire);
	size_t n = 0;

	out->number = number;
	out->workspace = atomic_load_explicit(&running->workspace, memory_order_relaxed);
	memcpy(out->exchange, running->exchange, sizeof(out->exchange));
	atomic_thread_fence(memory_order_acquire);
	if (!number || atomic_load_explicit(&running->number, memory_order_relaxed) != number)
		return false;
	while (n < sizeof(out->exchange) - 1 &&
	       str_only((struct str){ out->exchange + n, 1 }, STR("_-")))
		n++;
	out->exchange[n] = '\0';
	return n > 0;
}

void running_end(struct running *running, uint32_t number)
{
	atomic_store_explicit(&running->ending, number, memory_order_relaxed);
}
