/* base/buf: growth, the cap, and failures that stick. */
#include "unit.h"

static void starts_empty(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_string_equal(buf_text(&buf), "");
	assert_non_null(buf_view(&buf).p);
	assert_int_equal(buf_view(&buf).n, 0);
	assert_int_equal(buf_check(&buf), STATUS_OK);
	assert_null(buf.data);
	buf_truncate(&buf, 0);
	buf_consume(&buf, 5);
	buf_reset(&buf);
	buf_clear(&buf);
	buf_wipe(&buf);
}

static void takes_every_kind(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	buf_append(&buf, "a\0b", 3);
	buf_append(&buf, NULL, 0);
	buf_str(&buf, STR("-str-"));
	buf_str(&buf, STR_NONE);
	buf_puts(&buf, "puts");
	buf_putc(&buf, '!');
	buf_printf(&buf, "%d%s", 42, "x");
	buf_printf(&buf, "%s", "");
	assert_str(buf_view(&buf), "a\0b-str-puts!42x");
	assert_int_equal(buf.data[buf.len], '\0');
	buf_clear(&buf);
	assert_int_equal(buf.cap, 1000);
}

/* What was lent is used first, never freed, and good again after a failure. */
static void a_room_that_is_lent(void **state)
{
	char room[8];
	struct buf buf;

	(void)state;
	buf_init_in(&buf, room, sizeof(room), 20);
	assert_string_equal(buf_text(&buf), "");
	buf_puts(&buf, "seven..");
	assert_ptr_equal(buf.data, room);
	buf_puts(&buf, "and more");
	assert_ptr_not_equal(buf.data, room);
	assert_str(buf_view(&buf), "seven..and more");
	buf_puts(&buf, "than there may be");
	assert_int_equal(buf_check(&buf), STATUS_NOMEM);
	buf_undo(&buf, 7);
	assert_int_equal(buf_check(&buf), STATUS_OK);
	buf_putc(&buf, '!');
	assert_str(buf_view(&buf), "seven..!");
	buf_wipe(&buf);
	assert_string_equal(room, "seven..");
	assert_string_equal(buf_text(&buf), "");

	buf_init_in(&buf, room, sizeof(room), 20);
	buf_clear(&buf);
	assert_null(buf.data);
}

static void holds_exactly_its_cap(void **state)
{
	struct buf buf;
	int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		buf_init(&buf, (size_t)i);
		while (buf.len < (size_t)i)
			buf_putc(&buf, 'x');
		assert_int_equal(buf_check(&buf), STATUS_OK);
		assert_int_equal(strlen(buf_text(&buf)), i);
		buf_putc(&buf, 'y');
		assert_int_equal(buf_check(&buf), STATUS_NOMEM);
		assert_int_equal(buf.len, i);
		buf_clear(&buf);
	}
}

static void failure_sticks(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 5);
	buf_puts(&buf, "abc");
	buf_puts(&buf, "def");
	assert_int_equal(buf_check(&buf), STATUS_NOMEM);
	buf_putc(&buf, 'd');
	buf_printf(&buf, "%d", 1);
	assert_null(buf_room(&buf, 1));
	assert_str(buf_view(&buf), "abc");
	buf_consume(&buf, 1);
	buf_truncate(&buf, 1);
	assert_int_equal(buf_check(&buf), STATUS_NOMEM);
	assert_str(buf_view(&buf), "b");
	buf_reset(&buf);
	assert_int_equal(buf_check(&buf), STATUS_OK);
	buf_printf(&buf, "%s", "12345");
	assert_str(buf_view(&buf), "12345");
	buf_printf(&buf, "%s", "6");
	assert_int_equal(buf_check(&buf), STATUS_NOMEM);
	assert_str(buf_view(&buf), "12345");
	buf_clear(&buf);
	assert_int_equal(buf_check(&buf), STATUS_OK);
}

static void writes_in_place(void **state)
{
	struct buf buf;
	char *room;

	(void)state;
	buf_init(&buf, 8);
	room = buf_room(&buf, 8);
	assert_non_null(room);
	memcpy(room, "abcd", 4);
	buf_grew(&buf, 4);
	assert_string_equal(buf_text(&buf), "abcd");
	assert_null(buf_room(&buf, 5));
	assert_int_equal(buf_check(&buf), STATUS_NOMEM);
	buf_clear(&buf);
}

static void drops_from_both_ends(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	buf_puts(&buf, "0123456789");
	buf_consume(&buf, 3);
	assert_string_equal(buf_text(&buf), "3456789");
	buf_truncate(&buf, 4);
	assert_string_equal(buf_text(&buf), "3456");
	buf_truncate(&buf, 50);
	assert_string_equal(buf_text(&buf), "3456");
	buf_consume(&buf, 0);
	assert_string_equal(buf_text(&buf), "3456");
	buf_consume(&buf, 4);
	assert_string_equal(buf_text(&buf), "");
	buf_puts(&buf, "again");
	buf_consume(&buf, 99);
	assert_int_equal(buf.len, 0);
	buf_wipe(&buf);
	assert_null(buf.data);
}

static void refuses_what_no_memory_holds(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, SIZE_MAX / 4);
	buf_puts(&buf, "kept");
	assert_null(buf_room(&buf, SIZE_MAX));
	buf_reset(&buf);
	buf_puts(&buf, "kept");
	assert_null(buf_room(&buf, SIZE_MAX / 4));
	assert_string_equal(buf_text(&buf), "kept");
	buf_clear(&buf);
}

static void slim_frees_only_what_is_more(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	buf_append(&buf, "abc", 3);
	buf_slim(&buf, 64);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf.size, 64);
	while (buf_check(&buf) == STATUS_OK)
		buf_append(&buf, "abc", 3);
	buf_slim(&buf, 64);
	assert_null(buf.data);
	assert_int_equal(buf_check(&buf), STATUS_OK);
	buf_append(&buf, "abc", 3);
	assert_str(buf_view(&buf), "abc");
	buf_clear(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slim_frees_only_what_is_more),
		cmocka_unit_test(starts_empty),
		cmocka_unit_test(takes_every_kind),
		cmocka_unit_test(a_room_that_is_lent),
		cmocka_unit_test(holds_exactly_its_cap),
		cmocka_unit_test(failure_sticks),
		cmocka_unit_test(writes_in_place),
		cmocka_unit_test(drops_from_both_ends),
		cmocka_unit_test(refuses_what_no_memory_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
