/* base/stack: what deep calls left is given back, what is in use is not. */
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/stack.h"

#define DEEP (64 << 10)

static __attribute__((noinline)) int go_deep(void)
{
	volatile char room[DEEP];
	size_t i;

	for (i = 0; i < DEEP; i++)
		room[i] = 1;
	return room[DEEP / 2];
}

/* Pages below us that are there. */
static __attribute__((noinline)) unsigned there(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	char *end = (char *)((uintptr_t)__builtin_frame_address(0) & ~(page - 1));
	unsigned char is;
	unsigned i, count = 0;

	for (i = 1; i <= DEEP / page; i++)
		count += mincore(end - i * page, page, &is) == 0 && (is & 1);
	return count;
}

static void what_was_left_is_given_back(void **state)
{
	char ours[3 << 12];

	(void)state;
	memset(ours, 7, sizeof(ours));
	assert_int_equal(go_deep(), 1);
	assert_true(there() > 8);
	stack_trim();
	assert_true(there() <= 3);
	assert_int_equal(ours[0], 7);
	assert_int_equal(ours[sizeof(ours) - 1], 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_left_is_given_back),
	};

	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
