/* pool/death: each cause is counted as what it is. */
#include "unit.h"

#include <signal.h>

#include "pool/death.h"

#define EXITED(code) ((code) << 8) /* as waitpid(2) has it */

static struct counter_slot slot;

/* Whether that is counted as `cause`, and as nothing else. */
static void must_be(int result, bool stuck, enum counter_death cause)
{
	uint64_t before = counter_read(&slot, COUNTER_DEATHS);
	unsigned word = counter_word_of(COUNTER_DEATHS, CHILD_ADMISSION, cause);
	uint64_t of_it = atomic_load(&slot.values[word]);

	death_count(&slot, CHILD_ADMISSION, result, stuck);
	assert_int_equal(atomic_load(&slot.values[word]), of_it + 1);
	assert_int_equal(counter_read(&slot, COUNTER_DEATHS), before + 1);
}

static void each_has_its_cause(void **state)
{
	(void)state;
	must_be(EXITED(1), false, COUNTER_DEATH_EXIT);
	must_be(SIGSEGV, false, COUNTER_DEATH_SIGSEGV);
	must_be(SIGKILL, false, COUNTER_DEATH_SIGKILL);
	must_be(SIGPWR, false, COUNTER_DEATH_SIGNAL);
	must_be(SIGKILL, true, COUNTER_DEATH_STUCK);
	must_be(EXITED(1), true, COUNTER_DEATH_STUCK);
}

static void who_ended_well_did_not_die(void **state)
{
	uint64_t before = counter_read(&slot, COUNTER_DEATHS);

	(void)state;
	death_count(&slot, CHILD_WORKER, EXITED(0), false);
	death_count(&slot, CHILD_WORKER, EXITED(0), true); /* it was only slow */
	assert_int_equal(counter_read(&slot, COUNTER_DEATHS), before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_cause),
		cmocka_unit_test(who_ended_well_did_not_die),
	};

	return cmocka_run_group_tests_name("death", tests, NULL, NULL);
}
