/* ops/retention: the parts of a sweep, one behind the other. */
#include "unit_ops.h"

#include "ops/retention.h"

static void due_is_counted(void **state)
{
	static const struct stub_row due[] = { { { "1", "2", "3", "4", "5", "6" } } };
	struct ops_swept swept;

	(void)state;
	ANSWERS(ROWS(due));
	assert_int_equal(ops_retention_due(&unit_ops.ops, &swept), STATUS_OK);
	assert_string_equal(journal.text,
			    "sweep: select lost_exchanges, idempotency_keys, rate_windows,"
			    " conversations, exchanges, visitors from banter.sweep_due()  ");
	assert_int_equal(swept.leases, 1);
	assert_int_equal(swept.keys, 2);
	assert_int_equal(swept.windows, 3);
	assert_int_equal(swept.conversations.conversations, 4);
	assert_int_equal(swept.conversations.exchanges, 5);
	assert_int_equal(swept.visitors, 6);
}

#define LEASES "sweep: select workspace, lost from banter.sweep_leases(p_after => $1) "
#define VISITORS                                                                                   \
	"sweep: select workspace, visitors from banter.sweep_visitors(p_after => $1,"              \
	" p_limit => 1000) "
#define KEYS "sweep: select banter.sweep_keys(p_limit => $1) (1000) "
#define WINDOWS "sweep: select banter.sweep_windows(p_limit => $1) (1000) "

static void a_sweep_does_part_after_part(void **state)
{
	static const struct stub_row lost[] = { { { "7", "2" } } };
	static const struct stub_row full[] = { { { "1000" } } };
	static const struct stub_row rest[] = { { { "5" } } };
	static const struct stub_row due[] = { { { "1", "6", "0" } } };
	static const struct stub_row erased[] = { { { "1", "6" } } };
	static const struct stub_row gone[] = { { { "8", "3" } } };
	struct ops_sweep sweep = { .ended = false };
	int steps = 0;

	(void)state;
	ANSWERS(ROWS(lost), NOTHING, ROWS(full), ROWS(rest), ROWS(rest), ROWS(due), ROWS(erased),
		ROWS(gone), NOTHING);
	while (!sweep.ended && steps < 20) {
		assert_int_equal(ops_retention_step(&unit_ops.ops, &sweep), STATUS_OK);
		steps++;
		assert_int_equal(sweep.erasing, steps >= 6);
	}
	assert_int_equal(steps, 9);
	assert_int_equal(sweep.swept.visitors, 3);
	assert_int_equal(journal_count(VISITORS "(null) " VISITORS "(8) "), 1);
	assert_int_equal(sweep.swept.leases, 2);
	assert_int_equal(sweep.swept.keys, 1005);
	assert_int_equal(sweep.swept.windows, 5);
	assert_int_equal(sweep.to_erase, 1);
	assert_int_equal(sweep.swept.conversations.exchanges, 6);
	assert_ptr_equal(
		strstr(journal.text, LEASES "(null) " LEASES "(7) " KEYS KEYS WINDOWS "counting: "),
		journal.text);
	assert_int_equal(journal_count("(null, null, null, null, null, t"), 2);
	ops_retention_end(&sweep);
}

static void a_failure_stays_where_it_is(void **state)
{
	static const struct stub_row lost[] = { { { "7", "2" } } };
	struct ops_sweep sweep = { .ended = false };

	(void)state;
	ANSWERS(ROWS(lost), FAILS(STATUS_TIMEOUT), NOTHING);
	assert_int_equal(ops_retention_step(&unit_ops.ops, &sweep), STATUS_OK);
	assert_int_equal(ops_retention_step(&unit_ops.ops, &sweep), STATUS_TIMEOUT);
	assert_int_equal(sweep.swept.leases, 2);
	assert_int_equal(ops_retention_step(&unit_ops.ops, &sweep), STATUS_OK);
	assert_int_equal(journal_count(LEASES "(7) "), 2);
	ops_retention_end(&sweep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(due_is_counted),
		OPS_TEST(a_sweep_does_part_after_part),
		OPS_TEST(a_failure_stays_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
