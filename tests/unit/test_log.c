/* base/log: one line a call, levels, control bytes, errno. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* Standard error goes to a file meanwhile; the lines are read back from it. */
struct capture {
	int before;
	int file;
};

static void capture_begin(struct capture *capture)
{
	char path[] = "/tmp/banter-test-log-XXXXXX";

	capture->file = mkstemp(path);
	assert_true(capture->file >= 0);
	unlink(path);
	capture->before = dup(STDERR_FILENO);
	assert_true(capture->before >= 0);
	dup2(capture->file, STDERR_FILENO);
}

static struct str capture_end(struct capture *capture, char *text, size_t size)
{
	ssize_t n;

	dup2(capture->before, STDERR_FILENO);
	close(capture->before);
	n = pread(capture->file, text, size - 1, 0);
	close(capture->file);
	assert_true(n >= 0);
	text[n] = '\0';
	return (struct str){ text, (size_t)n };
}

static void a_line_has_its_parts(void **state)
{
	char text[4096], expected[64], stamp[CLOCK_STAMP_SIZE];
	struct capture capture;
	struct str line;

	(void)state;
	log_open("test", LOG_LEVEL_INFO, LOG_STDERR);
	capture_begin(&capture);
	log_info("exchange %d of %s", 7, "w1");
	line = capture_end(&capture, text, sizeof(text));
	clock_stamp(stamp);
	snprintf(expected, sizeof(expected), " info [%d] exchange 7 of w1\n", (int)getpid());
	assert_true(line.n > strlen(stamp));
	assert_same(str_skip(line, strlen(stamp)), str_from(expected));
}

static void a_log_that_nobody_reads_stops_nobody(void **state)
{
	char full[4096] = { 0 }, text[4096];
	struct capture capture;
	ssize_t n;
	int fds[2];

	(void)state;
	log_open("test", LOG_LEVEL_INFO, LOG_STDERR);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	while (write(fds[1], full, sizeof(full)) > 0)
		;
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
	capture_begin(&capture);
	dup2(fds[1], STDERR_FILENO);
	log_info("one");
	log_info("two");
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	while (read(fds[0], full, sizeof(full)) > 0)
		;
	log_info("three");
	n = read(fds[0], text, sizeof(text) - 1);
	capture_end(&capture, full, sizeof(full));
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "nobody read the log: 2 of this process's lines are lost\n"));
	assert_non_null(strstr(text, " three\n"));
	assert_null(strstr(text, "one"));
	close(fds[0]);
	close(fds[1]);
}

static void a_log_that_is_away_is_standard_errors(void **state)
{
	char path[] = "/tmp/banter-test-log-XXXXXX", file[64], text[4096];
	struct capture capture;
	FILE *there;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/log", path);
	assert_int_equal(rmdir(path), 0);
	log_open_at("test", LOG_LEVEL_INFO, file);
	capture_begin(&capture);
	log_info("one");
	log_info("two");
	assert_int_equal(mkdir(path, 0700), 0);
	log_open_at("test", LOG_LEVEL_INFO, file); /* a reload; what it has lost is not forgotten */
	log_info("three");
	capture_end(&capture, text, sizeof(text));
	assert_non_null(
		strstr(text, "] the log's lines go to standard error: /tmp/banter-test-log-"));
	assert_non_null(strstr(text, "/log: No such file or directory\n"));
	assert_ptr_equal(strstr(strstr(text, "the log's") + 1, "the log's"), NULL);
	assert_non_null(strstr(text, "] one\n"));
	assert_non_null(strstr(text, "] two\n"));
	assert_null(strstr(text, "three"));
	there = fopen(file, "re");
	assert_non_null(there);
	text[fread(text, 1, sizeof(text) - 1, there)] = '\0';
	fclose(there);
	assert_non_null(strstr(text, "): 2 of this process's lines are missing here\n"));
	assert_non_null(strstr(text, "] three\n"));
	log_open("test", LOG_LEVEL_INFO, LOG_STDERR);
	unlink(file);
	rmdir(path);
}

static void levels_filter(void **state)
{
	static const enum log_level levels[] = { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO,
						 LOG_LEVEL_DEBUG };
	static const char *const names[] = { " error [", " warning [", " info [", " debug [" };
	struct capture capture;
	char text[4096];
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(levels); i++) {
		log_open("test", levels[i], LOG_STDERR);
		capture_begin(&capture);
		log_error("e");
		log_warn("w");
		log_info("i");
		log_debug("d");
		capture_end(&capture, text, sizeof(text));
		for (j = 0; j < COUNT(names); j++)
			assert_int_equal(strstr(text, names[j]) != NULL, j <= i);
	}
	log_open("test", LOG_LEVEL_INFO, LOG_STDERR);
}

static void no_text_starts_a_line(void **state)
{
	struct capture capture;
	char text[4096];
	struct str line;
	size_t i;

	(void)state;
	capture_begin(&capture);
	log_info("%s", "a\nb\r\033[31mc\177\td");
	line = capture_end(&capture, text, sizeof(text));
	for (i = 0; i + 1 < line.n; i++)
		assert_true((unsigned char)line.p[i] >= 0x20 && line.p[i] != 0x7f);
	assert_int_equal(line.p[line.n - 1], '\n');
	assert_non_null(strstr(text, "a?b??[31mc??d"));
}

static void nothing_steers_and_all_is_utf8(void **state)
{
	static const struct {
		const char *text, *plain;
	} cases[] = {
		{ "é 日本 \xf0\x9f\x98\x80 \u00a0\ud7ff\ue000",
		  "é 日本 \xf0\x9f\x98\x80 \u00a0\ud7ff\ue000" },
		{ "a\xc2\x80\xc2\x9b[2J\xc2\x9f", "a??[2J?" },
		/* What turns the order around, and the ends of lines; their neighbours stay. */
		{ "\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069", "?????????" },
		{ "\u061b\u200d\u2010\u2027\u202f\u2065\u206a",
		  "\u061b\u200d\u2010\u2027\u202f\u2065\u206a" },
		/* No UTF-8: a byte alone, what is too long, a surrogate, above U+10FFFF. */
		{ "caf\xe9 \xff\x80", "caf? ??" },
		{ "\xc0\x80 \xc1\xbf \xe0\x9f\xbf \xf0\x8f\xbf\xbf", "?? ?? ??? ????" },
		{ "\xed\xa0\x80 \xf4\x90\x80\x80 \xf8\x88\x80\x80\x80", "??? ???? ?????" },
		/* Cut, and followed by what is right. */
		{ "\xe2\x82", "??" },
		{ "\xf0\x9f\x98\xc3\xa9", "???é" },
	};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), "%s", cases[i].text);
		log_plain(text);
		assert_string_equal(text, cases[i].plain);
	}
}

static void long_texts_are_cut(void **state)
{
	char text[8192], *big = malloc(100001);
	struct capture capture;
	struct str line;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 100000);
	big[100000] = '\0';
	capture_begin(&capture);
	log_info("%s", big);
	line = capture_end(&capture, text, sizeof(text));
	free(big);
	assert_in_range(line.n, 1000, 2048);
	assert_ptr_equal(memchr(line.p, '\n', line.n), line.p + line.n - 1);
}

static void errno_is_kept(void **state)
{
	struct capture capture;
	char text[4096];

	(void)state;
	capture_begin(&capture);
	errno = ENOENT;
	log_info("%s", strerror(errno));
	assert_int_equal(errno, ENOENT);
	log_debug("not written");
	assert_int_equal(errno, ENOENT);
	close(STDERR_FILENO);
	errno = ENOENT;
	log_info("lost");
	assert_int_equal(errno, ENOENT);
	capture_end(&capture, text, sizeof(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_its_parts),
		cmocka_unit_test(a_log_that_nobody_reads_stops_nobody),
		cmocka_unit_test(a_log_that_is_away_is_standard_errors),
		cmocka_unit_test(levels_filter),
		cmocka_unit_test(no_text_starts_a_line),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(errno_is_kept),
		cmocka_unit_test(nothing_steers_and_all_is_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
