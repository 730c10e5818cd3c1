/* ops/shards: what a router is asked, and who is none. */
#include "unit_ops.h"

#include "ops/shards.h"

static const struct stub_row owner[] = { { { "banter" } } };
static const struct stub_row nobody[] = { { { NULL } } };
static const struct stub_row map[] = { { { "0", "dbname=a" } }, { { "1", "dbname=b" } } };

static void a_router_says_where_its_partitions_are(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(ROWS(owner), ROWS(map));
	assert_int_equal(ops_shards_map(&unit_ops.ops, &rows), STATUS_OK);
	assert_int_equal(db_rows_count(rows), 2);
	assert_int_equal(journal_count("from banter_data.map()"), 1);
	db_rows_free(rows);
}

static void what_is_no_router_is_asked_nothing_more(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(ROWS(nobody));
	assert_int_equal(ops_shards_states(&unit_ops.ops, NULL, &rows), STATUS_REFUSED);
	assert_string_equal(unit_ops.ops.refusal,
			    "this database is no router; banterctl shards make makes one");
	assert_int_equal(journal_count("partition_states"), 0);
	ANSWERS(FAILS(STATUS_UNAVAILABLE));
	assert_int_equal(ops_shards_owner(&unit_ops.ops, &rows), STATUS_UNAVAILABLE);
	assert_null(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(a_router_says_where_its_partitions_are),
		OPS_TEST(what_is_no_router_is_asked_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
