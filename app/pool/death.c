/* Which cause is which value of the counters' set. */
#include "pool/death.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/count.h"

_Static_assert((int)CHILD_STOPPER == (int)COUNTER_CHILD_STOPPER, "kinds stand in one order");

static enum counter_death cause_of(int signal)
{
	static const struct {
		int signal;
		enum counter_death death;
	} rows[] = {
		{ SIGABRT, COUNTER_DEATH_SIGABRT }, { SIGBUS, COUNTER_DEATH_SIGBUS },
		{ SIGFPE, COUNTER_DEATH_SIGFPE },   { SIGILL, COUNTER_DEATH_SIGILL },
		{ SIGKILL, COUNTER_DEATH_SIGKILL }, { SIGSEGV, COUNTER_DEATH_SIGSEGV },
		{ SIGTERM, COUNTER_DEATH_SIGTERM },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (rows[i].signal == signal)
			return rows[i].death;
	return COUNTER_DEATH_SIGNAL;
}

void death_count(struct counter_slot *slot, enum child_kind kind, int result, bool stuck)
{
	enum counter_death cause = COUNTER_DEATH_EXIT;

	if (WIFEXITED(result) && WEXITSTATUS(result) == 0)
		return;
	if (stuck)
		cause = COUNTER_DEATH_STUCK;
	else if (WIFSIGNALED(result))
		cause = cause_of(WTERMSIG(result));
	counter_add_at(slot, COUNTER_DEATHS, kind, cause, 1);
}
