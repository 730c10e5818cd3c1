/* An exchange's counters.  Not for what they mean to their readers, which is base/counter.h's. */
#include "chat/turn_count.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/hot.h"

_Static_assert((int)TURN_FAILED - 1 == (int)COUNTER_END_FAILED &&
		       (int)MODEL_PROTOCOL == (int)COUNTER_CAUSE_PROTOCOL &&
		       (int)ATTEMPTS_BARE - 1 == (int)COUNTER_WAY_BARE,
	       "values stand in the order of what they count");

static const struct counters *counters_of(const struct turn *turn)
{
	return turn->context->wait->counters;
}

void turn_count_begun(const struct turn *turn)
{
	const struct counters *counters = counters_of(turn);

	if (!counters)
		return;
	counter_add(counters->slot, COUNTER_BEGUN, 1);
	counter_put(counters->slot, COUNTER_STREAMS, turn->begun.stream);
}

/* Of a client that gets its answer in one piece nothing is known before the end: see take_back(). */
HOT void turn_count_tokens(struct turn *turn)
{
	const struct counters *counters = counters_of(turn);
	unsigned fresh = turn->tokens - turn->counted;
	int64_t now;

	if (!counters || !fresh || !turn->begun.stream)
		return;
	now = turn->context->wait->now; /* when they came */
	counter_add(counters->slot, COUNTER_TOKENS, fresh);
	if (!turn->counted)
		counter_took(counters->slot, COUNTER_FIRST, 0, turn->first_ms * 1000, 1);
	else
		counter_took(counters->slot, COUNTER_GAPS, 0, (now - turn->counted_at) * 1000, 1);
	if (fresh > 1) /* that came together */
		counter_took(counters->slot, COUNTER_GAPS, 0, 0, fresh - 1);
	turn->counted = turn->tokens;
	turn->counted_at = now;
}

static unsigned server_of(const struct turn *turn, const struct counters *counters)
{
	return counter_name(counters->table, COUNTER_SET_SERVER,
			    str_from(attempts_server(&turn->attempts)->name));
}

void turn_count_asked(const struct turn *turn)
{
	const struct counters *counters = counters_of(turn);

	if (!counters)
		return;
	counter_add_at(counters->slot, COUNTER_MODEL_REQUESTS, server_of(turn, counters), 0, 1);
	if (turn->attempts.requests > 1)
		counter_add_at(counters->slot, COUNTER_MODEL_REQUESTS_AGAIN,
			       (unsigned)turn->step - 1, 0, 1);
}

static void count_use(const struct turn *turn, const struct counters *counters, unsigned server)
{
	const struct model *model = turn->context->model;
	const int64_t uses[] = {
		[COUNTER_USE_IN] = model_tokens_in(model),
		[COUNTER_USE_CACHED] = model_tokens_cached(model),
		[COUNTER_USE_OUT] = model_tokens_out(model),
	};
	unsigned i;

	for (i = 0; i < COUNTER_SIZE_USE; i++)
		if (uses[i] > 0)
			counter_add_at(counters->slot, COUNTER_MODEL_TOKENS, server, i,
				       (uint64_t)uses[i]);
}

void turn_count_answered(const struct turn *turn, enum status status)
{
	const struct counters *counters = counters_of(turn);
	unsigned server;

	if (!counters)
		return;
	server = server_of(turn, counters);
	if (status == STATUS_UNAVAILABLE || status == STATUS_TIMEOUT || status == STATUS_REFUSED ||
	    status == STATUS_INVALID)
		counter_add_at(counters->slot, COUNTER_MODEL_FAILURES, server,
			       model_failed(turn->context->model)->kind, 1);
	count_use(turn, counters, server);
}

void turn_count_ended(struct turn *turn)
{
	const struct counters *counters = counters_of(turn);

	if (!counters)
		return;
	if (!turn->begun.stream && turn->first_ms >= 0)
		counter_took(counters->slot, COUNTER_FIRST, 0, turn->first_ms * 1000, 1);
	counter_add(counters->slot, COUNTER_TOKENS, turn->tokens - turn->counted);
	counter_add_at(counters->slot, COUNTER_EXCHANGES, (unsigned)turn->end - 1, 0, 1);
	if (turn->end != TURN_REPLAYED)
		counter_took(counters->slot, COUNTER_TIMES, 0, (clock_ms() - turn->began_at) * 1000,
			     1);
	counter_put(counters->slot, COUNTER_STREAMS, 0);
}
