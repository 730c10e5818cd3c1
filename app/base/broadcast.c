/*
 * The places, the memory of their answers, and the bells.  A listener's copy counts where the
 * answer's number is the same afterwards; who begins or ends one changes the number first.
 */
#include "base/broadcast.h"

#include <string.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/hot.h"
#include "base/shared_memory.h"

/* Of an answer's memory so much is kept for the next one: most are no longer. */
#define KEPT 16384

struct broadcast {
	uint32_t places;
	size_t bytes; /* of one answer's memory, whole pages */
	char *answers;
	int bells[BROADCAST_BELLS];
	_Atomic uint32_t holders[BROADCAST_BELLS]; /* places + 1; 0: free */
	struct broadcast_place all[];
};

static size_t bytes_of(uint32_t places)
{
	return sizeof(struct broadcast) + places * sizeof(struct broadcast_place);
}

enum status broadcast_new(uint32_t places, size_t bytes, struct broadcast **out)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct broadcast *broadcast = shared_memory_new(bytes_of(places));
	enum status status = STATUS_OK;
	size_t i;

	if (!broadcast)
		return STATUS_NOMEM;
	broadcast->places = places;
	broadcast->bytes = (bytes + page) / page * page; /* and the NUL behind it */
	for (i = 0; i < BROADCAST_BELLS; i++)
		broadcast->bells[i] = -1;
	broadcast->answers = shared_memory_reserve(places * broadcast->bytes);
	if (!broadcast->answers)
		status = STATUS_NOMEM;
	for (i = 0; i < BROADCAST_BELLS && i < places && status == STATUS_OK; i++)
		status = bell_new(&broadcast->bells[i]);
	if (status == STATUS_OK)
		*out = broadcast;
	else
		broadcast_free(broadcast);
	return status;
}

void broadcast_free(struct broadcast *broadcast)
{
	size_t i;

	if (!broadcast)
		return;
	for (i = 0; i < BROADCAST_BELLS; i++)
		bell_free(broadcast->bells[i]);
	shared_memory_free(broadcast->answers, broadcast->places * broadcast->bytes);
	shared_memory_free(broadcast, bytes_of(broadcast->places));
}

static char *memory_of(const struct broadcast *broadcast, uint32_t place)
{
	return broadcast->answers + place * broadcast->bytes;
}

/* Who listens, and is woken. */
static void ring(struct broadcast *broadcast, const struct broadcast_place *place)
{
	uint32_t listener, bell;
	size_t i;

	for (i = 0; i < BROADCAST_LISTENERS; i++) {
		listener = atomic_load(&place->listeners[i]);
		bell = listener && listener <= broadcast->places
			       ? atomic_load(&broadcast->all[listener - 1].bell)
			       : 0;
		if (bell && bell <= BROADCAST_BELLS)
			bell_ring(broadcast->bells[bell - 1], 1);
	}
}

void broadcast_begin(struct broadcast *broadcast, uint32_t place, const char *exchange,
		     struct buf *answer)
{
	struct broadcast_place *own;

	if (!broadcast)
		return;
	own = &broadcast->all[place];
	if (++own->last == 0)
		own->last = 1;
	buf_init_in(answer, memory_of(broadcast, place),
		    answer->cap < broadcast->bytes ? answer->cap + 1 : broadcast->bytes,
		    answer->cap);
	atomic_store_explicit(&own->length, 0, memory_order_relaxed);
	memccpy(own->exchange, exchange, '\0', sizeof(own->exchange) - 1);
	atomic_store_explicit(&own->number, own->last, memory_order_release);
}

bool broadcast_heard(const struct broadcast *broadcast, uint32_t place)
{
	const struct broadcast_place *own = broadcast ? &broadcast->all[place] : NULL;
	size_t i;

	for (i = 0; own && i < BROADCAST_LISTENERS; i++)
		if (atomic_load(&own->listeners[i]))
			return true;
	return false;
}

/* One of both sees what the other wrote: who tells and who listens write first, and then look. */
HOT void broadcast_tell(struct broadcast *broadcast, uint32_t place, const struct buf *answer)
{
	struct broadcast_place *own;

	if (!broadcast || !answer->lent)
		return;
	own = &broadcast->all[place];
	if (atomic_load_explicit(&own->length, memory_order_relaxed) == answer->len)
		return;
	atomic_store(&own->length, answer->len);
	ring(broadcast, own);
}

void broadcast_over(struct broadcast *broadcast, uint32_t place)
{
	struct broadcast_place *own;

	if (!broadcast)
		return;
	own = &broadcast->all[place];
	atomic_store(&own->number, 0);
	ring(broadcast, own);
}

void broadcast_end(struct broadcast *broadcast, uint32_t place, struct buf *answer)
{
	char *memory;
	size_t used;

	if (!broadcast) {
		buf_wipe(answer);
		return;
	}
	broadcast_over(broadcast, place);
	atomic_thread_fence(memory_order_release);
	memory = memory_of(broadcast, place);
	used = answer->lent ? answer->len + 1 : broadcast->bytes;
	if (!answer->lent)
		buf_wipe(answer); /* it grew out of the place */
	buf_init(answer, answer->cap);
	explicit_bzero(memory, used < KEPT ? used : KEPT);
	if (used > KEPT)
		shared_memory_drop(memory + KEPT, broadcast->bytes - KEPT);
}

/* Every seat and bell that this process has. */
static void leave_all(struct broadcast *broadcast, uint32_t own)
{
	struct broadcast_place *place;
	uint32_t i;
	size_t k;

	for (i = 0; i < broadcast->places; i++) {
		place = &broadcast->all[i];
		for (k = 0; k < BROADCAST_LISTENERS; k++)
			if (atomic_load_explicit(&place->listeners[k], memory_order_relaxed) ==
			    own + 1)
				atomic_store(&place->listeners[k], 0);
	}
	for (k = 0; k < BROADCAST_BELLS; k++)
		if (atomic_load_explicit(&broadcast->holders[k], memory_order_relaxed) == own + 1)
			atomic_store(&broadcast->holders[k], 0);
}

void broadcast_bury(struct broadcast *broadcast, uint32_t place)
{
	if (!broadcast)
		return;
	atomic_store(&broadcast->all[place].bell, 0);
	broadcast_over(broadcast, place);
	leave_all(broadcast, place);
	shared_memory_drop(memory_of(broadcast, place), broadcast->bytes);
}

/* Another's process may be half way: the number says whether it was that exchange all the time. */
static bool runs_here(const struct broadcast_place *place, const char *exchange, uint32_t *number)
{
	bool same;

	*number = atomic_load_explicit(&place->number, memory_order_acquire);
	same = *number && !strncmp(place->exchange, exchange, sizeof(place->exchange));
	atomic_thread_fence(memory_order_acquire);
	return same && atomic_load_explicit(&place->number, memory_order_relaxed) == *number;
}

static bool take_seat(struct broadcast_place *place, uint32_t own)
{
	uint32_t free;
	size_t i;

	for (i = 0; i < BROADCAST_LISTENERS; i++) {
		free = 0;
		if (atomic_compare_exchange_strong(&place->listeners[i], &free, own + 1))
			return true;
	}
	return false;
}

static void take_bell(struct broadcast_listener *listener)
{
	struct broadcast *all = listener->all;
	uint32_t free;
	size_t i;

	for (i = 0; i < BROADCAST_BELLS && all->bells[i] >= 0; i++) {
		free = 0;
		if (!atomic_compare_exchange_strong(&all->holders[i], &free, listener->own + 1))
			continue;
		listener->bell = all->bells[i];
		(void)bell_heard(listener->bell); /* what another was rung for */
		atomic_store(&all->all[listener->own].bell, (uint32_t)i + 1);
		return;
	}
}

enum status broadcast_listen(struct broadcast *all, uint32_t own, const char *exchange,
			     struct broadcast_listener *out)
{
	uint32_t i, number;

	*out = (struct broadcast_listener){ .all = all, .own = own, .bell = -1 };
	for (i = 0; all && i < all->places; i++) {
		if (!runs_here(&all->all[i], exchange, &number))
			continue;
		take_bell(out);
		if (!take_seat(&all->all[i], own)) {
			broadcast_leave(out);
			return STATUS_REFUSED;
		}
		out->place = &all->all[i];
		out->number = number;
		return STATUS_OK;
	}
	return STATUS_UNAVAILABLE;
}

bool broadcast_hear(struct broadcast_listener *listener, size_t from, struct buf *out)
{
	const struct broadcast_place *place = listener->place;
	const struct broadcast *all = listener->all;
	size_t length, before = out->len;

	if (listener->bell >= 0)
		(void)bell_heard(listener->bell);
	length = atomic_load(&place->length);
	if (length >= all->bytes)
		length = all->bytes - 1;
	if (from < length)
		buf_append(out, memory_of(all, (uint32_t)(place - all->all)) + from, length - from);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&place->number, memory_order_relaxed) == listener->number)
		return true;
	buf_truncate(out, before);
	return false;
}

void broadcast_leave(struct broadcast_listener *listener)
{
	if (!listener->all)
		return;
	atomic_store(&listener->all->all[listener->own].bell, 0);
	leave_all(listener->all, listener->own);
	*listener = (struct broadcast_listener){ .bell = -1 };
}
