/* base/status and base/stage: every code has a name of its own, no number is without one. */
#include "unit.h"

#include "base/clock.h"
#include "base/stage.h"

static void results_have_names(void **state)
{
	int i, j;

	(void)state;
	for (i = STATUS_OK; i <= STATUS_FAILED; i++) {
		assert_string_not_equal(status_name((enum status)i), "unknown");
		for (j = STATUS_OK; j < i; j++)
			assert_string_not_equal(status_name((enum status)i),
						status_name((enum status)j));
	}
	assert_string_equal(status_name((enum status)99), "unknown");
}

static void stages_have_names(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < STAGE_COUNT; i++)
		assert_string_not_equal(stage_name(i), "unknown");
	/* They are read from shared memory, where anything may stand. */
	assert_string_equal(stage_name(-1), "unknown");
	assert_string_equal(stage_name(STAGE_COUNT), "unknown");
}

static void a_stage_knows_its_time(void **state)
{
	struct stage stage = { .at = STAGE_IDLE };
	int64_t before = clock_ms();

	(void)state;
	stage_set(NULL, STAGE_STREAM);
	stage_set(&stage, STAGE_STREAM);
	assert_int_equal(stage.at, STAGE_STREAM);
	assert_true(stage.since >= before && stage.since <= clock_ms());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_have_names),
		cmocka_unit_test(stages_have_names),
		cmocka_unit_test(a_stage_knows_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
