/* pool/plan: what the settings want of the master. */
#include "unit_config.h"

#include "base/log.h"
#include "pool/plan.h"

static void set(struct config *config, const char *name, const char *value)
{
	assert_int_equal(must_say(config, name, str_from(value)), STATUS_OK);
}

static void who_is_wanted(void **state)
{
	struct master_plan plan;
	struct config config;

	(void)state;
	must_init(&config);
	plan = plan_of(&config, false);
	assert_int_equal(plan.wanted[CHILD_WORKER], 16);
	assert_int_equal(plan.most, 16);
	assert_int_equal(plan.wanted[CHILD_ADMISSION], 1);
	assert_int_equal(plan.wanted[CHILD_STATUS], 0);
	assert_int_equal(plan.wanted[CHILD_STOPPER], 1);
	assert_int_equal(plan.times.drain, 25000);
	assert_int_equal(plan.times.longest, 610000);
	set(&config, "BANTER_QUEUE_TIME", "0");
	set(&config, "BANTER_JSON_TIME", "1h");
	plan = plan_of(&config, true);
	assert_int_equal(plan.wanted[CHILD_ADMISSION], 0);
	assert_int_equal(plan.wanted[CHILD_STATUS], 1);
	assert_int_equal(plan.times.longest, 3610000);
	set(&config, "BANTER_WORKERS", "2:8");
	set(&config, "BANTER_WORKER_IDLE_TIME", "7s");
	plan = plan_of(&config, true);
	assert_int_equal(plan.wanted[CHILD_WORKER], 2);
	assert_int_equal(plan.most, 8);
	assert_int_equal(plan.idle_ms, 7000);
	assert_int_equal(plan.wanted[CHILD_ADMISSION], 1); /* it is who sees that more are wanted */
	config_clear(&config);
}

static void each_stage_has_its_patience(void **state)
{
	struct master_times times;
	struct config config;
	struct buf why;
	int at;

	(void)state;
	must_init(&config);
	buf_init(&why, 500);
	set(&config, "BANTER_WRITE_TIME", "1s");
	set(&config, "BANTER_WORKER_STUCK_TIME", "10s");
	set(&config, "BANTER_MODEL_IDLE_TIME", "70s");
	assert_int_equal(config_add_server(&config, STR("slow"), &why), STATUS_OK);
	assert_int_equal(config_set_server(&config, STR("FIRST_TIME"), STR("5m"), &why), STATUS_OK);
	times = plan_of(&config, false).times;
	assert_int_equal(times.stopped, 10000);
	assert_int_equal(times.silent[STAGE_STARTING], 11000);
	assert_int_equal(times.silent[STAGE_IDLE], 0);
	assert_int_equal(times.silent[STAGE_HOLD], 0);
	assert_int_equal(times.silent[STAGE_REQUEST], 20000);
	assert_int_equal(times.silent[STAGE_BEGIN], 12500);
	assert_int_equal(times.silent[STAGE_CONNECT], 20000);
	assert_int_equal(times.silent[STAGE_FIRST], 310000);
	assert_int_equal(times.silent[STAGE_STREAM], 80000);
	assert_int_equal(times.silent[STAGE_FINISH], 12500);
	assert_int_equal(times.silent[STAGE_REPLY], 11000);
	set(&config, "BANTER_WORKER_STUCK_TIME", "0");
	times = plan_of(&config, false).times;
	assert_int_equal(times.stopped, 0);
	for (at = 0; at < STAGE_COUNT; at++)
		assert_int_equal(times.silent[at], 0);
	buf_clear(&why);
	config_clear(&config);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_wanted),
		cmocka_unit_test(each_stage_has_its_patience),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
