/* doctor/stream: what a stream's arrival tells, with times of our own. */
#include "unit.h"

#include "doctor/stream.h"

/* `tokens` in `arrivals` groups of equal size, over `spread` ms. */
static struct stream_times arrived(int tokens, int arrivals, int64_t spread)
{
	struct stream_times times = { 0 };
	int i, group;

	for (i = 0; i < tokens; i++) {
		group = i * arrivals / tokens;
		stream_times_token(&times,
				   1000 + (arrivals > 1 ? spread * group / (arrivals - 1) : 0));
	}
	return times;
}

static void arrivals_are_counted(void **state)
{
	struct stream_times times = arrived(30, 10, 900);

	(void)state;
	assert_int_equal(times.tokens, 30);
	assert_int_equal(times.arrivals, 10);
	assert_int_equal(stream_spread(&times), 900);
}

static void paces(void **state)
{
	static const struct {
		int here[3], there[3]; /* tokens, arrivals, spread */
		enum stream_pace pace;
	} cases[] = {
		{ { 40, 40, 1000 }, { 40, 40, 1000 }, STREAM_FLOWS },
		{ { 40, 38, 1900 }, { 40, 40, 1000 }, STREAM_FLOWS },
		{ { 40, 40, 1000 }, { 0, 0, 0 }, STREAM_FLOWS },
		{ { 40, 1, 0 }, { 40, 40, 1000 }, STREAM_HELD },
		{ { 40, 2, 200 }, { 40, 40, 1000 }, STREAM_HELD },
		{ { 40, 3, 900 }, { 40, 40, 1000 }, STREAM_BURSTS },
		{ { 40, 11, 900 }, { 40, 40, 1000 }, STREAM_FLOWS },
		{ { 40, 1, 0 }, { 40, 1, 0 }, STREAM_BRIEF },
		{ { 40, 1, 0 }, { 40, 20, 199 }, STREAM_BRIEF },
		{ { 40, 1, 0 }, { 0, 0, 0 }, STREAM_BRIEF },
		{ { 1, 1, 0 }, { 1, 1, 0 }, STREAM_BRIEF },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		const int *a = cases[i].here, *b = cases[i].there;
		struct stream_times here = arrived(a[0], a[1], a[2]);
		struct stream_times there = arrived(b[0], b[1], b[2]);

		if (stream_compare(&here, &there) != cases[i].pace)
			fail_msg("case %zu", i);
	}
}

/* The same is seen wherever the bytes are cut, and heartbeats and nonsense are passed over. */
static void events_are_found_in_any_pieces(void **state)
{
	struct str all = STR("{\"type\":\"start\",\"conversationId\":\"c\"}\n\n"
			     "{\"type\":\"token\",\"token\":\"a\"}\nnonsense\n"
			     "{\"type\":\"token\",\"token\":\"b\"}\n{\"type\":\"done\"}\n");
	size_t cut;

	(void)state;
	for (cut = 0; cut <= all.n; cut++) {
		struct stream_view view;

		stream_view_init(&view);
		stream_view_feed(&view, (struct str){ all.p, cut }, 10);
		stream_view_feed(&view, str_skip(all, cut), 20);
		assert_int_equal(view.times.tokens, 2);
		assert_true(view.times.start);
		assert_true(view.done);
		assert_false(view.failed);
		stream_view_clear(&view);
	}
}

static void an_error_is_no_end(void **state)
{
	struct stream_view view;

	(void)state;
	stream_view_init(&view);
	stream_view_feed(&view, STR("{\"type\":\"error\",\"error\":\"x\"}\n{\"type\":\"done\""), 1);
	assert_true(view.failed);
	assert_false(view.done);
	stream_view_clear(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrivals_are_counted),
		cmocka_unit_test(paces),
		cmocka_unit_test(events_are_found_in_any_pieces),
		cmocka_unit_test(an_error_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
