/* edge/db_prepared: who keeps statements, by which names, and what a failure means for them. */
#include "unit.h"

#include "stub_time.h"

#include "edge/db_prepared.h"

static const char one[] = "select one($1)", two[] = "select two($1)";
static struct db_prepared prepared;

static int set_up(void **state)
{
	(void)state;
	prepared = (struct db_prepared){ 0 };
	stub_time.now = STUB_TIME_START;
	return 0;
}

static struct db_query query_of(const char *name, const char *sql)
{
	struct db_query query;

	db_query_init(&query, name, sql);
	db_query_keep(&query);
	return query;
}

static struct db_prepared_one *find(const char *sql)
{
	struct db_query query = query_of("called", sql);

	return db_prepared_find(&prepared, &query);
}

static void nothing_has_a_name_before_it_is_known_who_keeps_it(void **state)
{
	(void)state;
	assert_null(find(one));
	db_prepared_look(&prepared, false);
	assert_int_equal(prepared.keeper, DB_KEEPER_DOUBTED);
	assert_null(find(one));
	db_prepared_tried(&prepared, true);
	assert_null(find(one));
	db_prepared_look(&prepared, true); /* it stays as it was found */
	assert_null(find(one));
}

static void the_server_keeps_its_own_session_and_a_pooler_what_it_renames(void **state)
{
	(void)state;
	db_prepared_look(&prepared, true);
	assert_non_null(find(one));
	prepared = (struct db_prepared){ 0 };
	db_prepared_look(&prepared, false);
	db_prepared_tried(&prepared, false);
	assert_non_null(find(one));
}

static void a_name_has_its_texts_hash(void **state)
{
	static const char same[] = "select one($1)";
	char first[DB_PREPARED_NAME];

	(void)state;
	db_prepared_look(&prepared, true);
	strcpy(first, find(one)->name);
	assert_memory_equal(first, "banter_called_", 14);
	assert_int_equal(strlen(first), 14 + 16);
	assert_ptr_equal(find(one), find(one));
	assert_string_not_equal(first, find(two)->name);
	assert_string_equal(first, find(same)->name);
	prepared = (struct db_prepared){ 0 };
	db_prepared_look(&prepared, true);
	assert_string_equal(first, find(one)->name);
}

static void few_are_kept_and_only_those_that_are_to_be(void **state)
{
	static const char *const more[] = { "1", "2", "3", "4" };
	struct db_query query;
	int i;

	(void)state;
	db_prepared_look(&prepared, true);
	db_query_init(&query, "once", one);
	assert_null(db_prepared_find(&prepared, &query));
	for (i = 0; i < DB_PREPARED; i++)
		assert_non_null(find(more[i]));
	assert_null(find(one));
	assert_non_null(find(more[0]));
}

static void a_name_is_no_longer_than_the_server_bears(void **state)
{
	struct db_query query =
		query_of("a_name_that_somebody_thought_of_on_a_very_long_afternoon", one);

	(void)state;
	db_prepared_look(&prepared, true);
	assert_true(strlen(db_prepared_find(&prepared, &query)->name) < DB_PREPARED_NAME);
}

/* What a failure leaves: `there` and `stale` of the one that failed, and of another. */
static void what_failed_for_its_name_is_sent_again(void **state)
{
	static const struct {
		const char *state;
		bool pooler, again, there, stale, other;
	} rows[] = {
		{ "26000", false, true, false, false, false },
		{ "42P05", false, true, true, false, true },
		{ "0A000", false, true, true, true, true },
		{ "26000", true, true, false, false, false },
		{ "0A000", true, true, true, false, true },
		{ "P0001", false, false, true, false, true },
		{ "55P03", false, false, true, false, true },
		{ "08006", true, false, true, false, true },
	};
	struct db_prepared_one *failed, *other;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		set_up(state);
		db_prepared_look(&prepared, !rows[i].pooler);
		if (rows[i].pooler)
			db_prepared_tried(&prepared, false);
		failed = find(one);
		other = find(two);
		failed->there = other->there = true;
		assert_int_equal(db_prepared_failed(&prepared, failed, rows[i].state),
				 rows[i].again);
		assert_int_equal(failed->there, rows[i].there);
		assert_int_equal(failed->stale, rows[i].stale);
		assert_int_equal(other->there, rows[i].other);
		assert_int_equal(find(one) == NULL, rows[i].again);
		stub_time.now += 60000;
		assert_ptr_equal(find(one), failed);
	}
}

/* Behind another one that failed, or before it was made, nothing is stale. */
static void what_was_never_made_is_not_stale(void **state)
{
	(void)state;
	db_prepared_look(&prepared, true);
	assert_true(db_prepared_failed(&prepared, find(one), "0A000"));
	stub_time.now += 60000;
	assert_false(find(one)->stale);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_has_a_name_before_it_is_known_who_keeps_it),
		TEST(the_server_keeps_its_own_session_and_a_pooler_what_it_renames),
		TEST(a_name_has_its_texts_hash),
		TEST(few_are_kept_and_only_those_that_are_to_be),
		TEST(a_name_is_no_longer_than_the_server_bears),
		TEST(what_failed_for_its_name_is_sent_again),
		TEST(what_was_never_made_is_not_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
