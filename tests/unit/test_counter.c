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
		assert_int_equal(entry->kind, COUNTER_TOTAL);
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
		cmocka_unit_test(many_add_at_once_and_none_is_lost),
		cmocka_unit_test(a_file_is_gone_on_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
