/* wire/exposition: the two text formats, byte by byte where they differ, and what could break a line. */
#include "unit.h"

#include "wire/exposition.h"

static struct str written(struct buf *out, bool open, const char *help, const char *value)
{
	const struct exposition_label labels[] = { { "a", "x" }, { "b", value }, { NULL, NULL } };
	struct exposition exposition;

	buf_init(out, 1 << 16);
	exposition_begin(&exposition, out, open);
	exposition_family(&exposition, "things", EXPOSITION_COUNTER, "", help);
	exposition_whole(&exposition, labels, 7);
	exposition_family(&exposition, "age", EXPOSITION_GAUGE, "seconds", "how old");
	exposition_thousandths(&exposition, NULL, 12003);
	exposition_end(&exposition);
	assert_int_equal(buf_check(out), STATUS_OK);
	return buf_view(out);
}

static void prometheus_s_text(void **state)
{
	struct buf out;

	(void)state;
	assert_str(written(&out, false, "how many", "y"), "# HELP banter_things_total how many\n"
							  "# TYPE banter_things_total counter\n"
							  "banter_things_total{a=\"x\",b=\"y\"} 7\n"
							  "# HELP banter_age_seconds how old\n"
							  "# TYPE banter_age_seconds gauge\n"
							  "banter_age_seconds 12.003\n");
	buf_clear(&out);
}

static void openmetrics_names_the_family_and_ends(void **state)
{
	struct buf out;

	(void)state;
	assert_str(written(&out, true, "how many", "y"), "# HELP banter_things how many\n"
							 "# TYPE banter_things counter\n"
							 "banter_things_total{a=\"x\",b=\"y\"} 7\n"
							 "# HELP banter_age_seconds how old\n"
							 "# TYPE banter_age_seconds gauge\n"
							 "# UNIT banter_age_seconds seconds\n"
							 "banter_age_seconds 12.003\n"
							 "# EOF\n");
	buf_clear(&out);
}

static void nothing_breaks_a_line(void **state)
{
	struct buf out;
	struct str text;

	(void)state;
	text = written(&out, false, "a\\b\n\"c\"", "1\"2\\3\n4");
	assert_true(str_holds(text, STR("_total a\\\\b\\n\"c\"\n")));
	assert_true(str_holds(text, STR("b=\"1\\\"2\\\\3\\n4\"} 7\n")));
	buf_clear(&out);
	text = written(&out, true, "\"c\"", "");
	assert_true(str_holds(text, STR("things \\\"c\\\"\n")));
	assert_true(str_holds(text, STR("b=\"\"} 7\n")));
	buf_clear(&out);
}

static struct str counted(struct buf *out, const struct counter_table *table)
{
	struct exposition exposition;

	buf_init(out, 1 << 20);
	exposition_begin(&exposition, out, false);
	exposition_counters(&exposition, table);
	exposition_end(&exposition);
	assert_int_equal(buf_check(out), STATUS_OK);
	return buf_view(out);
}

static void a_table_s_counters_are_summed(void **state)
{
	struct counter_table *table = NULL;
	struct counters one, two;
	unsigned route, server;
	struct str text;
	struct buf out;

	(void)state;
	assert_int_equal(counter_table_open(NULL, 2, &table, NULL), STATUS_OK);
	one = counter_table_take(table, 0);
	two = counter_table_take(table, 1);
	route = counter_name(table, COUNTER_SET_ROUTE, STR("chatbot /a/{b}"));
	server = counter_name(table, COUNTER_SET_SERVER, STR("first"));
	counter_add_at(one.slot, COUNTER_REQUESTS, route, COUNTER_STATUS_503, 2);
	counter_add_at(two.slot, COUNTER_REQUESTS, route, COUNTER_STATUS_503, 3);
	counter_add_at(two.slot, COUNTER_MODEL_FAILURES, server, COUNTER_CAUSE_LATE, 1);
	counter_took(one.slot, COUNTER_FIRST, 0, 1500000, 1);
	counter_took(two.slot, COUNTER_FIRST, 0, 400, 1);
	text = counted(&out, table);
	assert_true(str_holds(text, STR("banter_requests_total{api=\"chatbot\",route=\"/a/{b}\","
					"status=\"503\"} 5\n")));
	assert_true(str_holds(text, STR("banter_requests_total{api=\"chatbot\",route=\"/a/{b}\","
					"status=\"200\"} 0\n")));
	assert_true(str_holds(text, STR("banter_model_failures_total{server=\"first\","
					"cause=\"late\"} 1\n")));
	assert_false(str_holds(text, STR("server=\"other\"")));
	assert_true(str_holds(text, STR("banter_first_token_seconds_bucket{le=\"0.001\"} 1\n")));
	assert_true(str_holds(text, STR("banter_first_token_seconds_bucket{le=\"1.0\"} 1\n")));
	assert_true(str_holds(text, STR("banter_first_token_seconds_bucket{le=\"2.5\"} 2\n")));
	assert_true(str_holds(text, STR("banter_first_token_seconds_bucket{le=\"+Inf\"} 2\n")));
	assert_true(str_holds(text, STR("banter_first_token_seconds_sum 1.500400\n"
					"banter_first_token_seconds_count 2\n")));
	buf_clear(&out);
	counter_table_close(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prometheus_s_text),
		cmocka_unit_test(openmetrics_names_the_family_and_ends),
		cmocka_unit_test(nothing_breaks_a_line),
		cmocka_unit_test(a_table_s_counters_are_summed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
