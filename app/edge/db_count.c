/* Which statement is which value of the counters' set. */
#include "edge/db_count.h"

#include <string.h>

#include "base/clock.h"
#include "base/counter.h"

static unsigned call_of(const struct counter_table *table, const char *name)
{
	unsigned i;

	for (i = 0; i < COUNTER_CALL_OTHER; i++)
		if (strcmp(counter_set_value(table, COUNTER_SET_CALL, i), name) == 0)
			return i;
	return COUNTER_CALL_OTHER;
}

void db_count(const struct wait *wait, const char *name, int64_t began_us, enum status status)
{
	unsigned call;

	if (!wait || !wait->counters)
		return;
	call = call_of(wait->counters->table, name);
	counter_took(wait->counters->slot, COUNTER_DATABASE, call, clock_us() - began_us, 1);
	if (status == STATUS_UNAVAILABLE || status == STATUS_TIMEOUT || status == STATUS_FAILED)
		counter_add_at(wait->counters->slot, COUNTER_DATABASE_FAILURES, call, 0, 1);
}
