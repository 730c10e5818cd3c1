/* base/counter: a row each, summed over slots, and no process takes its numbers with it. */
#include "unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/counter.h"

static void every_counter_has_its_row(void **state)
{
	const struct counter_entry *entry;
	int i, k;

	(void)state;
	for (i = 0; i < COUNTERS; i++) {
		entry = counter_entry_at((enum counter)i);
		assert_true(*entry->name && *entry->help);
		assert_int_equal(strspn(entry->name, "abcdefghijklmnopqrstuvwxyz_"),
				 strlen(entry->name));
		assert_true(entry->kind == COUNTER_SECONDS || entry->b != COUNTER_SET_SERVER);
		assert_null(strchr(entry->help, '\n'));
		assert_true(entry->help[strlen(entry->help) - 1] != '.');
		for (k = 0; k < i; k++)
			assert_string_not_equal(entry->name,
						counter_entry_at((enum counter)k)->name);
	}
	assert_string_equal(counter_entry_at(COUNTER_TOKENS)->name, "tokens");
}

/* A process that adds to a slot, and dies. */
static void one_life(struct counter_table *table, uint32_t place, uint64_t tokens)
{
	pid_t pid = fork();

	if (pid == 0) {
		counter_add(counter_table_slot(table, place), COUNTER_TOKENS, tokens);
		counter_add(counter_table_slot(table, place), COUNTER_REQUESTS, 1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void who_is_replaced_leaves_what_was_counted(void **state)
{
	struct counter_table *table = NULL;

	(void)state;
	assert_int_equal(counter_table_open(NULL, 3, &table, NULL), STATUS_OK);
	one_life(table, 0, 5);
	one_life(table, 2, 7);
	one_life(table, 0, 11);
	assert_int_equal(counter_read(counter_table_slot(table, 0), COUNTER_TOKENS), 16);
	assert_int_equal(counter_read(counter_table_slot(table, 1), COUNTER_TOKENS), 0);
	assert_int_equal(counter_table_sum(table, COUNTER_TOKENS), 23);
	assert_int_equal(counter_table_sum(table, COUNTER_REQUESTS), 3);
	assert_int_equal(counter_table_sum(table, COUNTER_EXCHANGES), 0);
	counter_table_close(table);
	counter_table_close(NULL);
}

/* What stands at one place in a slot stands at no other's. */
static void each_value_has_its_own_word(void **state)
{
	static struct counter_slot slot; /* a sanitizer's stack does not align it */
	unsigned a, b, sum = 0;
	int i;

	(void)state;
	for (i = 0; i < COUNTERS; i++) {
		const struct counter_entry *entry = counter_entry_at((enum counter)i);

		for (a = 0; a < counter_set_size(entry->a); a++)
			for (b = 0; b < counter_set_size(entry->b); b++)
				counter_add_at(&slot, (enum counter)i, a, b, 1);
	}
	for (i = 0; i < COUNTER_WORDS; i++) {
		assert_true(slot.values[i] <= 1);
		sum += (unsigned)slot.values[i];
	}
	for (i = 0; i < COUNTERS; i++) {
		const struct counter_entry *entry = counter_entry_at((enum counter)i);
		unsigned values = counter_set_size(entry->a) * counter_set_size(entry->b);

		assert_int_equal(counter_read(&slot, (enum counter)i), values);
		sum -= values;
	}
	assert_int_equal(sum, 0);
}

static void a_time_counts_within_its_bound(void **state)
{
	static const int64_t bounds[] = { COUNTER_BOUNDS };
	static struct counter_slot slot; /* a sanitizer's stack does not align it */
	unsigned at = counter_word_of(COUNTER_FIRST, 0, 0), i;

	(void)state;
	counter_took(&slot, COUNTER_FIRST, 0, 0, 2);
	counter_took(&slot, COUNTER_FIRST, 0, bounds[0], 1);
	counter_took(&slot, COUNTER_FIRST, 0, bounds[0] + 1, 1);
	counter_took(&slot, COUNTER_FIRST, 0, bounds[COUNTER_BOUND_COUNT - 1] + 1, 1);
	counter_took(&slot, COUNTER_FIRST, 0, -5, 1); /* a clock that was not read yet */
	assert_int_equal(slot.values[at], 4);
	assert_int_equal(slot.values[at + 1], 1);
	assert_int_equal(slot.values[at + COUNTER_BOUND_COUNT], 1);
	assert_int_equal(slot.values[at + COUNTER_BOUND_COUNT + 1],
			 2 * bounds[0] + 1 + bounds[COUNTER_BOUND_COUNT - 1] + 1);
	assert_int_equal(counter_read(&slot, COUNTER_FIRST), 6);
	for (i = 0; i < COUNTER_BOUND_COUNT; i++) {
		counter_took(&slot, COUNTER_GAPS, 0, bounds[i], 1);
		counter_took(&slot, COUNTER_GAPS, 0, bounds[i] + 1, 1);
	}
	at = counter_word_of(COUNTER_GAPS, 0, 0);
	for (i = 0; i <= COUNTER_BOUND_COUNT; i++)
		assert_int_equal(slot.values[at + i], i % COUNTER_BOUND_COUNT ? 2 : 1);
}

static void names_stay_where_they_are(void **state)
{
	struct counter_table *table = NULL;
	unsigned i, other = counter_set_size(COUNTER_SET_SERVER) - 1;
	char long_one[100], name[16];

	(void)state;
	assert_int_equal(counter_table_open(NULL, 1, &table, NULL), STATUS_OK);
	assert_null(counter_set_value(table, COUNTER_SET_SERVER, 0));
	assert_int_equal(counter_name(table, COUNTER_SET_SERVER, STR("a")), 0);
	assert_int_equal(counter_name(table, COUNTER_SET_SERVER, STR("b")), 1);
	assert_int_equal(counter_name(table, COUNTER_SET_SERVER, STR("a")), 0);
	assert_int_equal(counter_name(table, COUNTER_SET_ROUTE, STR("b")), 0);
	assert_string_equal(counter_set_value(table, COUNTER_SET_SERVER, 1), "b");
	memset(long_one, 'x', sizeof(long_one));
	assert_int_equal(
		counter_name(table, COUNTER_SET_SERVER, (struct str){ long_one, sizeof(long_one) }),
		other);
	for (i = 2; i < other + 3; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(counter_name(table, COUNTER_SET_SERVER, str_from(name)),
				 i < other ? i : other);
	}
	assert_string_equal(counter_set_value(table, COUNTER_SET_SERVER, other), "other");
	counter_table_close(table);
}

/* Its owner's death ends it; a total stays. */
static void a_gauge_is_a_living_process_s(void **state)
{
	struct counter_table *table = NULL;
	struct counters own;
	pid_t pid;

	(void)state;
	assert_int_equal(counter_table_open(NULL, 2, &table, NULL), STATUS_OK);
	own = counter_table_take(table, 0);
	counter_put(own.slot, COUNTER_STREAMS, 1);
	pid = fork();
	if (pid == 0) {
		own = counter_table_take(table, 1);
		counter_put(own.slot, COUNTER_STREAMS, 1);
		counter_add(own.slot, COUNTER_TOKENS, 3);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(counter_table_sum(table, COUNTER_STREAMS), 1);
	assert_int_equal(counter_table_sum(table, COUNTER_TOKENS), 3);
	own = counter_table_take(table, 1);
	assert_int_equal(counter_table_sum(table, COUNTER_STREAMS), 1);
	counter_table_close(table);
}

/* It is read by others, who change nothing. */
static void a_file_can_be_looked_at(void **state)
{
	char folder[] = "/tmp/banter-counter.XXXXXX", file[64];
	struct counter_table *one = NULL, *look = NULL;
	const char *why = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/counters", folder);
	assert_int_equal(counter_table_look(file, 4, &look, &why), STATUS_FAILED);
	assert_non_null(why);
	assert_int_equal(counter_table_open(file, 4, &one, &why), STATUS_OK);
	one_life(one, 3, 5);
	assert_int_equal(counter_table_look(file, 4, &look, &why), STATUS_OK);
	assert_int_equal(counter_table_sum(look, COUNTER_TOKENS), 5);
	counter_table_close(look);
	assert_int_equal(counter_table_look(file, 5, &look, &why), STATUS_FAILED);
	counter_table_close(one);
	assert_int_equal(access(file, F_OK), 0);
	unlink(file);
	rmdir(folder);
}

static void many_add_at_once_and_none_is_lost(void **state)
{
	struct counter_table *table = NULL;
	pid_t pids[4];
	int i, k;

	(void)state;
	assert_int_equal(counter_table_open(NULL, 2, &table, NULL), STATUS_OK);
	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (k = 0; k < 10000; k++)
			counter_add(counter_table_slot(table, (uint32_t)i % 2), COUNTER_REQUESTS,
				    1);
		_exit(0);
	}
	for (i = 0; i < 4; i++)
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	assert_int_equal(counter_table_sum(table, COUNTER_REQUESTS), 40000);
	counter_table_close(table);
}

/* Processes that no master forked share a file, which outlives them. */
static void a_file_is_gone_on_with(void **state)
{
	char folder[] = "/tmp/banter-counter.XXXXXX", file[64];
	struct counter_table *one = NULL, *two = NULL;
	const char *why = NULL;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/counters", folder);
	assert_int_equal(counter_table_open(file, 4, &one, &why), STATUS_OK);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	one_life(one, 3, 5);
	assert_int_equal(counter_table_open(file, 4, &two, &why), STATUS_OK);
	counter_add(counter_table_slot(two, 1), COUNTER_TOKENS, 2);
	assert_int_equal(counter_table_sum(one, COUNTER_TOKENS), 7);
	counter_table_close(one);
	counter_table_close(two);
	assert_int_equal(counter_table_open(file, 4, &one, &why), STATUS_OK);
	assert_int_equal(counter_table_sum(one, COUNTER_TOKENS), 7);
	counter_table_close(one);
	assert_int_equal(counter_table_open(folder, 4, &one, &why), STATUS_FAILED);
	assert_non_null(why);
	unlink(file);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_has_its_row),
		cmocka_unit_test(who_is_replaced_leaves_what_was_counted),
		cmocka_unit_test(each_value_has_its_own_word),
		cmocka_unit_test(a_time_counts_within_its_bound),
		cmocka_unit_test(names_stay_where_they_are),
		cmocka_unit_test(a_gauge_is_a_living_process_s),
		cmocka_unit_test(a_file_can_be_looked_at),
		cmocka_unit_test(many_add_at_once_and_none_is_lost),
		cmocka_unit_test(a_file_is_gone_on_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
