/* ops/statistics: what it says to the database. */
#include "unit_ops.h"

#include "ops/statistics.h"

static void usage_takes_its_choice(void **state)
{
	const struct ops_statistics which = { .by = "model", .days = 30, .chatbot = "Bot" };
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, REFUSES("not by \"moon\""));
	assert_int_equal(ops_statistics_usage(&unit_ops.ops, &which, &rows), STATUS_OK);
	assert_string_equal(
		journal.text,
		"stats: select name, exchanges, done, \"left\", failed, asked_again, moved,"
		" tokens_in, tokens_cached, cached_percent, tokens_out, credits, visitors_percent,"
		" thumbs_up, thumbs_down, first_ms_half, first_ms_most, total_ms_half, running "
		"from banter.stats("
		"p_by => $1, p_days => $2, p_workspace => $3, p_chatbot => $4)"
		" (model, 30, null, Bot) ");
	assert_refused(ops_statistics_usage(&unit_ops.ops, &which, &rows), STATUS_REFUSED,
		       "not by \"moon\"");
	assert_null(rows);
}

static void tail_asks_a_moment_twice(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING);
	assert_int_equal(ops_statistics_tail(&unit_ops.ops, "Bot", "now", 10, &rows), STATUS_OK);
	assert_string_equal(
		journal.text,
		"tail: select started_at, state, chatbot, first_ms, total_ms, error, server, tries,"
		" tokens_out, request_id, model, stream, tokens_in, tokens_cached, requests,"
		" finish_reason,"
		" exchange, ended from banter.tail("
		"p_limit => $1, p_chatbot => $2, p_since => $3::timestamptz - interval"
		" '5 seconds') (10, Bot, now) ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(usage_takes_its_choice),
		OPS_TEST(tail_asks_a_moment_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
