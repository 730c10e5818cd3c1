/* The order of addresses; what is said of them rests on db_connect.c's tries. */
#include "edge/db_attempts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"

/* An address that was good serves for so long where a name server gives no other. */
#define KEPT_MS 3600000
#define SILENT_MS 60000

static bool is_silent(const struct db_attempts *attempts, const struct db_attempt *attempt)
{
	size_t i;

	for (i = 0; i < COUNT(attempts->silent); i++)
		if (clock_ms() < attempts->silent[i].until &&
		    attempts->silent[i].attempt.place == attempt->place &&
		    strcmp(attempts->silent[i].attempt.address, attempt->address) == 0)
			return true;
	return false;
}

/* In place of the oldest. */
void db_attempts_silent(struct db_attempts *attempts)
{
	size_t i, oldest = 0;

	for (i = 1; i < COUNT(attempts->silent); i++)
		if (attempts->silent[i].until < attempts->silent[oldest].until)
			oldest = i;
	attempts->silent[oldest].attempt = attempts->all[attempts->at - 1];
	attempts->silent[oldest].until = clock_ms() + SILENT_MS;
}

void db_attempts_forget(struct db_attempts *attempts)
{
	*attempts = (struct db_attempts){ 0 };
}

static void add(struct db_attempts *attempts, const struct db_place *place, const char *address,
		const char *session)
{
	struct db_attempt *attempt = &attempts->all[attempts->count];

	if (attempts->count == DB_ATTEMPTS)
		return;
	*attempt = (struct db_attempt){ .place = place, .session = session };
	snprintf(attempt->address, sizeof(attempt->address), "%s", address);
	attempts->count++;
}

static void add_place(struct db_attempts *attempts, const struct db_place *place,
		      const char *session)
{
	int i;

	if (!place->named)
		add(attempts, place, place->address ? place->address : "", session);
	else if (clock_ms() < place->kept_at + KEPT_MS)
		for (i = 0; i < place->kept.count; i++)
			add(attempts, place, place->kept.addresses[i], session);
}

/* In their order, behind the others in theirs. */
static void put_silent_last(struct db_attempts *attempts, int first)
{
	int left, last = attempts->count - 1, at = first;
	struct db_attempt silent;

	for (left = attempts->count - first; left > 0; left--) {
		silent = attempts->all[at];
		if (!is_silent(attempts, &silent)) {
			at++;
			continue;
		}
		memmove(&attempts->all[at], &attempts->all[at + 1],
			(size_t)(last - at) * sizeof(silent));
		attempts->all[last] = silent;
	}
}

/* Each process and each time another order is all that is wanted of it. */
static void shuffle(struct db_attempts *attempts, int first)
{
	unsigned seed = (unsigned)clock_wall_ms() ^ (unsigned)(uintptr_t)attempts;
	struct db_attempt moved;
	int i, other;

	for (i = attempts->count - 1; i > first; i--) {
		other = first + rand_r(&seed) % (i - first + 1);
		moved = attempts->all[i];
		attempts->all[i] = attempts->all[other];
		attempts->all[other] = moved;
	}
}

void db_attempts_list(struct db_attempts *attempts, const struct db_places *places)
{
	/* As libpq does it within one call, which knows one address only here. */
	static const char *const sessions[] = { "standby", "any" };
	int rounds = places->standby_first ? 2 : 1, round, first, i;

	attempts->count = attempts->at = 0;
	for (round = 0; round < rounds; round++) {
		first = attempts->count;
		for (i = 0; i < places->count; i++)
			add_place(attempts, &places->all[i], rounds > 1 ? sessions[round] : NULL);
		if (places->shuffled)
			shuffle(attempts, first);
		put_silent_last(attempts, first);
	}
}
