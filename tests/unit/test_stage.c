/* base/stage: what one process writes of itself, as another reads it. */
#include "unit.h"

#include "base/stage.h"

static void what_is_set_is_there_and_each_time_is_a_step(void **state)
{
	struct stage stage = { 0 };

	(void)state;
	stage_set_at(&stage, STAGE_STREAM, 77);
	assert_int_equal(atomic_load(&stage.at), STAGE_STREAM);
	assert_int_equal(atomic_load(&stage.since), 77);
	assert_int_equal(atomic_load(&stage.steps), 1);
	stage_step(&stage);
	assert_int_equal(atomic_load(&stage.steps), 2);
	atomic_store(&stage.steps, UINT32_MAX);
	stage_step(&stage);
	assert_int_equal(atomic_load(&stage.steps), 0);
	stage_set(NULL, STAGE_IDLE);
	stage_step(NULL);
	stage_request(NULL, STR("x"));
	assert_string_equal(stage_name(STAGE_FIRST), "first byte");
	assert_string_equal(stage_name(-1), "unknown");
	assert_string_equal(stage_name(STAGE_COUNT), "unknown");
}

static void an_id_is_cut_and_nothing_else_is_read(void **state)
{
	char out[STAGE_REQUEST_SIZE], text[300];
	struct stage stage = { 0 };

	(void)state;
	stage_read_request(&stage, out);
	assert_string_equal(out, "");
	stage_request(&stage, STR("abc-._Z09"));
	stage_read_request(&stage, out);
	assert_string_equal(out, "abc-._Z09");
	stage_request(&stage, STR_NONE);
	stage_read_request(&stage, out);
	assert_string_equal(out, "");
	memset(text, 'x', sizeof(text));
	stage_request(&stage, (struct str){ text, sizeof(text) });
	stage_read_request(&stage, out);
	assert_int_equal(strlen(out), STAGE_REQUEST_SIZE - 1);
	/* What a worker gone wild left there. */
	memset(stage.request, 'y', sizeof(stage.request));
	stage_read_request(&stage, out);
	assert_int_equal(strlen(out), STAGE_REQUEST_SIZE - 1);
	memcpy(stage.request, "ab\n\033[31mc", 10);
	stage_read_request(&stage, out);
	assert_string_equal(out, "ab");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_is_there_and_each_time_is_a_step),
		cmocka_unit_test(an_id_is_cut_and_nothing_else_is_read),
	};

	return cmocka_run_group_tests_name("stage", tests, NULL, NULL);
}
