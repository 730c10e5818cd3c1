/* base/heap: what is allocated behind a filling lies together, in no hole; who asks for room takes none. */
#include "unit.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/heap.h"

#define PIECES 4000

static char *pieces[PIECES];

static size_t size_of(int piece)
{
	return (size_t)(20 + piece % 50 * 40);
}

/* Every other piece is free again. */
static void make_holes(void)
{
	int i;

	for (i = 0; i < PIECES; i++)
		pieces[i] = malloc(size_of(i));
	for (i = 0; i < PIECES; i += 2)
		free(pieces[i]);
}

static void free_the_rest(void)
{
	int i;

	for (i = 1; i < PIECES; i += 2)
		free(pieces[i]);
}

static bool lies_in_a_hole(const char *one)
{
	int i;

	for (i = 0; i < PIECES; i += 2)
		if (one >= pieces[i] && one < pieces[i] + size_of(i))
			return true;
	return false;
}

static void no_hole_is_left_for_small_pieces(void **state)
{
	static const size_t sizes[] = { 1, 24, 100, 500, 1000, 1040 };
	struct heap_filling *filling;
	size_t i;
	char *one;

	(void)state;
	make_holes();
	filling = heap_fill();
	assert_non_null(filling);
	for (i = 0; i < COUNT(sizes); i++) {
		one = malloc(sizes[i]);
		assert_non_null(one);
		assert_false(lies_in_a_hole(one));
		free(one);
	}
	heap_drain(filling);
	free_the_rest();
}

static void filled_again_after_it_was_drained(void **state)
{
	int i;

	(void)state;
	make_holes();
	for (i = 0; i < 3; i++)
		heap_drain(heap_fill());
	heap_drain(NULL);
	free_the_rest();
}

/* A worker asks behind each request: what malloc gave it the second time stayed in the heap, and was trimmed. */
static void who_asks_for_room_leaves_the_heap_as_it_is(void **state)
{
	char *end = sbrk(0);
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(heap_has_room(1 << 20));
	assert_ptr_equal(sbrk(0), end);
}

static void there_is_no_room_beyond_the_limit(void **state)
{
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	none = (struct rlimit){ .rlim_cur = 1 << 20, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	assert_false(heap_has_room(1 << 20));
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_true(heap_has_room(1 << 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_for_room_leaves_the_heap_as_it_is),
		cmocka_unit_test(there_is_no_room_beyond_the_limit),
		cmocka_unit_test(no_hole_is_left_for_small_pieces),
		cmocka_unit_test(filled_again_after_it_was_drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
