/* base/broadcast: what a process writes of its answer, as others hear it. */
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/broadcast.h"

#define ID "01m7y2k3e92365hdc9rnkwb6t8"
#define OTHER "01m7y2k3e92365hdc9rnkwb6t9"
#define BYTES 100000 /* of an answer */
#define PLACES 5

static struct broadcast *make(void)
{
	struct broadcast *all = NULL;

	assert_int_equal(broadcast_new(PLACES, BYTES, &all), STATUS_OK);
	return all;
}

static void begin(struct broadcast *all, uint32_t place, const char *id, struct buf *answer)
{
	buf_init(answer, BYTES);
	broadcast_begin(all, place, id, answer);
}

static bool rung(const struct broadcast_listener *listener)
{
	return poll(&(struct pollfd){ .fd = listener->bell, .events = POLLIN }, 1, 0) == 1;
}

/* At every byte: who listens from there on has the rest, once. */
static void it_is_heard_from_each_byte_on(void **state)
{
	static const char text[] = "a\xc3\xa9 answer";
	struct broadcast *all = make();
	struct broadcast_listener one;
	struct buf answer, heard;
	size_t from, came, n = sizeof(text) - 1;

	(void)state;
	for (from = 0; from <= n; from++) {
		for (came = 0; came <= n; came++) {
			begin(all, 3, ID, &answer);
			buf_init(&heard, BYTES);
			buf_append(&answer, text, came);
			broadcast_tell(all, 3, &answer);
			assert_int_equal(broadcast_listen(all, 1, ID, &one), STATUS_OK);
			assert_true(broadcast_hear(&one, from, &heard));
			assert_int_equal(heard.len, came > from ? came - from : 0);
			for (; answer.len < n; broadcast_tell(all, 3, &answer)) {
				buf_putc(&answer, text[answer.len]);
				assert_true(broadcast_hear(&one, from + heard.len, &heard));
			}
			assert_true(broadcast_hear(&one, from + heard.len, &heard));
			assert_int_equal(heard.len, n - from);
			assert_memory_equal(buf_text(&heard), text + from, n - from);
			assert_int_equal(answer.len, n);
			assert_memory_equal(answer.data, text, n);
			broadcast_over(all, 3);
			assert_false(broadcast_hear(&one, 0, &heard));
			assert_int_equal(heard.len, n - from);
			broadcast_leave(&one);
			broadcast_end(all, 3, &answer);
			buf_clear(&heard);
		}
	}
	broadcast_free(all);
}

static void it_rings_for_those_alone_who_listen(void **state)
{
	struct broadcast *all = make();
	struct broadcast_listener one, two;
	struct buf answer, other, heard;

	(void)state;
	begin(all, 0, ID, &answer);
	begin(all, 2, OTHER, &other);
	assert_int_equal(broadcast_listen(all, 1, ID, &one), STATUS_OK);
	assert_int_equal(broadcast_listen(all, 3, OTHER, &two), STATUS_OK);
	assert_true(broadcast_heard(all, 0));
	assert_false(broadcast_heard(all, 1));
	broadcast_tell(all, 0, &answer); /* nothing new */
	assert_false(rung(&one));
	buf_puts(&answer, "x");
	broadcast_tell(all, 0, &answer);
	assert_true(rung(&one));
	assert_false(rung(&two));
	buf_init(&heard, BYTES);
	assert_true(broadcast_hear(&one, 0, &heard));
	assert_false(rung(&one));
	broadcast_over(all, 0);
	assert_true(rung(&one));
	broadcast_leave(&one);
	broadcast_leave(&one); /* again is fine */
	assert_false(broadcast_heard(all, 0));
	broadcast_leave(&two);
	broadcast_end(all, 0, &answer);
	broadcast_end(all, 2, &other);
	buf_clear(&heard);
	broadcast_free(all);
}

static void three_listen_to_one(void **state)
{
	struct broadcast *all = make();
	struct broadcast_listener those[BROADCAST_LISTENERS], fourth;
	struct buf answer;
	uint32_t i;

	(void)state;
	begin(all, 0, ID, &answer);
	for (i = 0; i < BROADCAST_LISTENERS; i++)
		assert_int_equal(broadcast_listen(all, i + 1, ID, &those[i]), STATUS_OK);
	assert_int_equal(broadcast_listen(all, 4, ID, &fourth), STATUS_REFUSED);
	broadcast_leave(&fourth);
	broadcast_bury(all, 2); /* who listens is dead */
	assert_int_equal(broadcast_listen(all, 4, ID, &fourth), STATUS_OK);
	broadcast_leave(&fourth);
	assert_int_equal(broadcast_listen(all, 4, OTHER, &fourth), STATUS_UNAVAILABLE);
	broadcast_leave(&fourth);
	assert_int_equal(broadcast_listen(NULL, 4, ID, &fourth), STATUS_UNAVAILABLE);
	broadcast_leave(&fourth);
	for (i = 0; i < BROADCAST_LISTENERS; i++)
		broadcast_leave(&those[i]);
	broadcast_end(all, 0, &answer);
	broadcast_free(all);
}

/* The next answer in its place is another one, however alike. */
static void a_dead_process_is_heard_of(void **state)
{
	struct broadcast *all = make();
	struct broadcast_listener one;
	struct buf answer, heard;

	(void)state;
	begin(all, 0, ID, &answer);
	buf_puts(&answer, "secret");
	broadcast_tell(all, 0, &answer);
	assert_int_equal(broadcast_listen(all, 1, ID, &one), STATUS_OK);
	broadcast_bury(all, 0);
	assert_true(rung(&one));
	assert_string_equal(answer.data, ""); /* its memory is given back */
	begin(all, 0, ID, &answer);
	buf_puts(&answer, "other");
	broadcast_tell(all, 0, &answer);
	buf_init(&heard, BYTES);
	assert_false(broadcast_hear(&one, 0, &heard));
	assert_int_equal(heard.len, 0);
	broadcast_leave(&one);
	broadcast_end(all, 0, &answer);
	buf_clear(&heard);
	broadcast_free(all);
}

static void what_was_said_does_not_stay(void **state)
{
	struct broadcast *all = make();
	struct buf answer;
	const char *memory;
	size_t i, n;

	(void)state;
	for (n = 1; n <= BYTES; n *= 10) {
		begin(all, 1, ID, &answer);
		memory = answer.data;
		for (i = 0; i < n; i++)
			buf_putc(&answer, 'x');
		assert_ptr_equal(answer.data, memory); /* one copy */
		assert_int_equal(buf_check(&answer), STATUS_OK);
		broadcast_tell(all, 1, &answer);
		broadcast_end(all, 1, &answer);
		for (i = 0; i < n; i++)
			assert_int_equal(memory[i], 0);
	}
	broadcast_free(all);
}

/* Settings that came later may allow a longer one than there is room for. */
static void one_that_does_not_fit_is_heard_no_further(void **state)
{
	struct broadcast *all = make();
	struct broadcast_listener one;
	struct buf answer, heard;
	size_t i, told;

	(void)state;
	buf_init(&answer, (size_t)4 * BYTES);
	broadcast_begin(all, 1, ID, &answer);
	assert_int_equal(broadcast_listen(all, 2, ID, &one), STATUS_OK);
	for (i = 0; i < (size_t)3 * BYTES; i++) {
		buf_putc(&answer, (char)('a' + i % 26));
		broadcast_tell(all, 1, &answer);
	}
	assert_int_equal(answer.len, 3 * BYTES);
	buf_init(&heard, (size_t)4 * BYTES);
	assert_true(broadcast_hear(&one, 0, &heard));
	told = heard.len;
	assert_in_range(told, BYTES, BYTES + 65536);
	assert_memory_equal(heard.data, answer.data, told);
	broadcast_leave(&one);
	broadcast_end(all, 1, &answer);
	buf_clear(&heard);
	broadcast_free(all);
}

static void nobody_listens_where_there_is_no_memory(void **state)
{
	struct buf answer;

	(void)state;
	begin(NULL, 0, ID, &answer);
	buf_puts(&answer, "x");
	broadcast_tell(NULL, 0, &answer);
	assert_false(broadcast_heard(NULL, 0));
	broadcast_over(NULL, 0);
	broadcast_bury(NULL, 0);
	broadcast_end(NULL, 0, &answer);
	broadcast_free(NULL);
}

/* More than there are bells for: they have to look by themselves. */
static void there_are_so_many_bells(void **state)
{
	enum { MANY = BROADCAST_BELLS + 2 };
	struct broadcast_listener those[MANY];
	struct buf answers[MANY];
	struct broadcast *all = NULL;
	char id[SECRET_ID_SIZE];
	uint32_t i;

	(void)state;
	assert_int_equal(broadcast_new(2 * MANY, 64, &all), STATUS_OK);
	for (i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "x%u", i);
		buf_init(&answers[i], 64);
		broadcast_begin(all, i, id, &answers[i]);
		assert_int_equal(broadcast_listen(all, MANY + i, id, &those[i]), STATUS_OK);
		assert_int_equal(those[i].bell >= 0, i < BROADCAST_BELLS);
		buf_puts(&answers[i], "x");
		broadcast_tell(all, i, &answers[i]);
	}
	for (i = 0; i < MANY; i++) {
		broadcast_leave(&those[i]);
		broadcast_end(all, i, &answers[i]);
	}
	broadcast_free(all);
}

/* The other process: one answer after the other, of bytes that say which and where, until it is ended. */
static void speak(struct broadcast *all, size_t n)
{
	struct buf answer;
	int k;

	for (k = 0;; k++) {
		begin(all, 0, k % 2 ? OTHER : ID, &answer);
		while (answer.len < n) {
			buf_putc(&answer, (char)((answer.len + (size_t)k % 2) % 251));
			broadcast_tell(all, 0, &answer);
		}
		broadcast_end(all, 0, &answer);
	}
}

#define ENOUGH 200 /* answers of which something is heard */

/* Two processes at once: what is heard is of the answer that was asked for, and whole. */
static void nothing_is_torn(void **state)
{
	struct broadcast *all = make();
	struct broadcast_listener one;
	int result, heard_some = 0, ended = 0;
	pid_t pid = fork();
	struct buf heard;
	size_t i;

	(void)state;
	assert_true(pid >= 0);
	if (!pid)
		speak(all, 3000);
	buf_init(&heard, BYTES);
	while (heard_some < ENOUGH && !ended) {
		ended = waitpid(pid, &result, WNOHANG);
		if (broadcast_listen(all, 1, ID, &one) == STATUS_OK) {
			buf_reset(&heard);
			while (broadcast_hear(&one, heard.len, &heard))
				;
			heard_some += heard.len > 0;
			for (i = 0; i < heard.len; i++)
				assert_int_equal((unsigned char)heard.data[i], i % 251);
		}
		broadcast_leave(&one);
	}
	assert_int_equal(ended, 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &result, 0), pid);
	buf_clear(&heard);
	broadcast_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_heard_from_each_byte_on),
		cmocka_unit_test(it_rings_for_those_alone_who_listen),
		cmocka_unit_test(three_listen_to_one),
		cmocka_unit_test(a_dead_process_is_heard_of),
		cmocka_unit_test(what_was_said_does_not_stay),
		cmocka_unit_test(one_that_does_not_fit_is_heard_no_further),
		cmocka_unit_test(nobody_listens_where_there_is_no_memory),
		cmocka_unit_test(there_are_so_many_bells),
		cmocka_unit_test(nothing_is_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
