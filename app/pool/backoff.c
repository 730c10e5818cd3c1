/* Arithmetic of pauses. */
#include "pool/backoff.h"

#define FIRST_MS 100
#define MOST_MS 30000
#define MOST_UP_MS 1000 /* whoever fells those that serve must not keep the pool empty */
#define YOUNG_MS 10000	/* who dies before this age may well die again at once */

static void grow(struct backoff *backoff, int64_t most, int64_t now)
{
	if (now - backoff->start_at >= YOUNG_MS) /* the last pause has long been over */
		backoff->ms = 0;
	backoff->ms = backoff->ms ? backoff->ms * 2 : FIRST_MS;
	if (backoff->ms > most)
		backoff->ms = most;
	backoff->start_at = now + backoff->ms;
}

void backoff_grow(struct backoff *backoff, int64_t now)
{
	grow(backoff, MOST_MS, now);
}

void backoff_after_death(struct backoff *backoff, bool up, int64_t born, int64_t now)
{
	bool young = now - born < YOUNG_MS;

	/* Many that die of one cause at one time make it grow once: the others wait with the first. */
	if (young && now < backoff->start_at)
		return;
	if (!young)
		backoff->ms = 0;
	grow(backoff, up ? MOST_UP_MS : MOST_MS, now);
}

void backoff_after_end(struct backoff *backoff, int64_t born, int64_t now)
{
	if (now - born < FIRST_MS && backoff->start_at < now + FIRST_MS)
		backoff->start_at = now + FIRST_MS;
}

int64_t backoff_left(const struct backoff *backoff, int64_t now)
{
	return backoff->start_at > now ? backoff->start_at - now : 0;
}
