/* chat/reasoning_memory: three different conversations in a row, by whichever process. */
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/shared_memory.h"
#include "chat/reasoning_memory.h"

static struct reasoning_memory *make(void)
{
	struct reasoning_memory *memory = shared_memory_new(sizeof(*memory));

	assert_non_null(memory);
	assert_int_equal(reasoning_memory_init(memory), STATUS_OK);
	return memory;
}

static struct reasoning_subject of(const struct reasoning_memory *memory, const char *model,
				   const char *conversation)
{
	return reasoning_memory_subject(memory, STR("a"), STR("http://a/v1"), str_from(model),
					str_from(conversation));
}

static bool saw(struct reasoning_memory *memory, const char *model, const char *conversation)
{
	struct reasoning_subject subject = of(memory, model, conversation);

	return reasoning_memory_saw(memory, &subject);
}

static bool knows(struct reasoning_memory *memory, const char *model)
{
	struct reasoning_subject subject = of(memory, model, "any");

	return reasoning_memory_knows(memory, &subject);
}

static void three_different_conversations_in_a_row_teach(void **state)
{
	struct reasoning_memory *memory = make();
	struct reasoning_subject m = of(memory, "m", "c");

	(void)state;
	assert_false(saw(memory, "m", "1"));
	assert_false(saw(memory, "m", "1"));
	assert_false(saw(memory, "m", "2"));
	assert_false(saw(memory, "m", "1"));
	assert_false(saw(memory, "other", "3"));
	assert_false(knows(memory, "m"));
	/* One without in between. */
	reasoning_memory_missed(memory, &m);
	assert_false(saw(memory, "m", "3"));
	assert_false(saw(memory, "m", "4"));
	assert_true(saw(memory, "m", "5"));
	assert_true(knows(memory, "m"));
	assert_false(knows(memory, "other"));
	/* It is learned once, and an answer that began before takes nothing back. */
	assert_false(saw(memory, "m", "6"));
	reasoning_memory_missed(memory, &m);
	assert_true(knows(memory, "m"));
	assert_true(reasoning_memory_forget(memory, &m));
	assert_false(reasoning_memory_forget(memory, &m));
	assert_false(knows(memory, "m"));
	assert_false(saw(memory, "m", "7"));
	assert_false(saw(memory, "m", "8"));
	assert_true(saw(memory, "m", "9"));
	shared_memory_free(memory, sizeof(*memory));
}

static void a_server_is_its_name_and_its_address(void **state)
{
	static const char *const others[][3] = {
		{ "b", "http://a/v1", "m" }, { "a", "http://b/v1", "m" },
		{ "a", "http://a/v1", "n" }, { "", "ahttp://a/v1", "m" },
		{ "a", "http://a/v1m", "" },
	};
	struct reasoning_memory *memory = make();
	struct reasoning_subject m = of(memory, "m", "c"), other;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(others); i++) {
		other = reasoning_memory_subject(memory, str_from(others[i][0]),
						 str_from(others[i][1]), str_from(others[i][2]),
						 STR("c"));
		assert_false(siphash_equal(other.name, m.name));
		assert_true(other.conversation == m.conversation);
	}
	shared_memory_free(memory, sizeof(*memory));
}

static void learn(struct reasoning_memory *memory, const char *model)
{
	saw(memory, model, "1");
	saw(memory, model, "2");
	assert_true(saw(memory, model, "3"));
}

static void the_oldest_gives_way(void **state)
{
	struct reasoning_memory *memory = make();
	char name[16];
	int i;

	(void)state;
	for (i = 0; i < REASONING_ENTRIES; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		learn(memory, name);
	}
	assert_true(knows(memory, "m0")); /* which is to speak of it */
	learn(memory, "new");
	assert_true(knows(memory, "m0"));
	assert_false(knows(memory, "m1"));
	assert_true(knows(memory, "m2"));
	assert_true(knows(memory, "new"));
	shared_memory_free(memory, sizeof(*memory));
}

static void all_processes_learn_together(void **state)
{
	struct reasoning_memory *memory = make();
	const char *conversations[] = { "1", "2", "3" };
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(conversations); i++) {
		pid = fork();
		if (pid == 0)
			_exit(saw(memory, "m", conversations[i]) ? 1 : 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	assert_true(knows(memory, "m"));
	/* One dies holding the lock: it is learned again. */
	pid = fork();
	if (pid == 0) {
		if (robust_lock_take(&memory->lock, 1000, NULL, NULL))
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(knows(memory, "m"));
	learn(memory, "m");
	shared_memory_free(memory, sizeof(*memory));
}

static void mark(void *context)
{
	*(bool *)context = true;
}

/* A thousand that ask at once must not stand in line for what no model here does. */
static void where_nothing_was_ever_told_nobody_takes_the_lock(void **state)
{
	struct reasoning_memory *memory = make();
	struct reasoning_subject m = of(memory, "m", "c");
	bool untouched = false;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(robust_lock_take(&memory->lock, 1000, NULL, NULL) != STATUS_OK);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(knows(memory, "m"));
	reasoning_memory_missed(memory, &m);
	assert_false(reasoning_memory_forget(memory, &m));
	/* Nobody has met the dead owner yet. */
	assert_int_equal(robust_lock_take(&memory->lock, 1000, mark, &untouched), STATUS_OK);
	assert_true(untouched);
	robust_lock_give(&memory->lock);
	shared_memory_free(memory, sizeof(*memory));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_different_conversations_in_a_row_teach),
		cmocka_unit_test(a_server_is_its_name_and_its_address),
		cmocka_unit_test(the_oldest_gives_way),
		cmocka_unit_test(all_processes_learn_together),
		cmocka_unit_test(where_nothing_was_ever_told_nobody_takes_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
