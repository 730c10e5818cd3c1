/* base/log_sink: nobody who reads the log, or does not, stops whoever writes it; what is lost is counted. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_sink.h"

#define QUICK_MS 5000 /* far above what it takes, far below for ever */

static char folder[] = "/tmp/banter-test-sink-XXXXXX", place[128], other[128];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(place, sizeof(place), "%s/log", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	return 0;
}

static int empty_folder(void **state)
{
	(void)state;
	unlink(place);
	unlink(other);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int listen_there(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	strcpy(at.sun_path, place);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* The next one that came; "": none. */
static const char *heard(int fd)
{
	static char line[4096];
	ssize_t n = recv(fd, line, sizeof(line) - 1, 0);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

static const char *contents(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	close(fd);
	text[n] = '\0';
	return text;
}

static void syslog_hears_what_libc_would_say(void **state)
{
	int fd = listen_there(), priority, pid, end = 0;
	struct log_sink sink;
	char stamp[32];
	time_t now;

	(void)state;
	log_sink_init(&sink, "banter", place, true);
	now = time(NULL);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_WARN, "one line"), LOG_SINK_TAKEN);
	assert_int_equal(
		sscanf(heard(fd), "<%d>%15c banter[%d]: one line%n", &priority, stamp, &pid, &end),
		3);
	assert_true(end > 0 && strlen(heard(fd)) == 0);
	assert_int_equal(priority, LOG_DAEMON | LOG_WARNING);
	assert_int_equal(pid, getpid());
	stamp[15] = '\0';
	assert_memory_equal(stamp, ctime(&now) + 4, 7); /* "Nov 27 "; the time may have gone on */
	log_sink_clear(&sink);
	close(fd);
}

static void a_syslog_daemon_that_does_not_read_stops_nobody(void **state)
{
	int fd = listen_there(), taken = 0, i;
	int64_t start = clock_ms();
	struct log_sink sink;
	char said[64];

	(void)state;
	log_sink_init(&sink, "banter", place, true);
	for (i = 0; i < 2000; i++)
		taken += log_sink_put(&sink, LOG_LEVEL_INFO, "a line") == LOG_SINK_TAKEN;
	assert_true(clock_ms() - start < QUICK_MS);
	assert_in_range(taken, 1, 1999);
	while (taken--)
		assert_non_null(strstr(heard(fd), "a line"));
	snprintf(said, sizeof(said), "]: nobody read the log: %lu of this", sink.lost);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "again"), LOG_SINK_TAKEN);
	assert_non_null(strstr(heard(fd), said));
	assert_non_null(strstr(heard(fd), "]: again"));
	assert_string_equal(heard(fd), "");
	log_sink_clear(&sink);
	close(fd);
}

static void a_syslog_daemon_that_comes_back_is_found(void **state)
{
	struct log_sink sink;
	int fd;

	(void)state;
	log_sink_init(&sink, "banter", place, true);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "none is there"), LOG_SINK_AWAY);
	assert_int_equal(sink.why, ENOENT);
	fd = listen_there();
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "one"), LOG_SINK_TAKEN);
	assert_non_null(strstr(heard(fd), "]: the log could not be written (No such file or "
					  "directory): 1 of this process's lines are missing"));
	assert_non_null(strstr(heard(fd), "]: one"));
	close(fd);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "it ended"), LOG_SINK_AWAY);
	assert_int_equal(sink.why, ECONNREFUSED);
	unlink(place);
	fd = listen_there();
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "two"), LOG_SINK_TAKEN);
	assert_non_null(strstr(heard(fd), "1 of this process's lines"));
	assert_non_null(strstr(heard(fd), "]: two"));
	log_sink_clear(&sink);
	close(fd);
}

static void a_file_that_was_moved_away_is_made_again(void **state)
{
	struct log_sink sink;
	struct stat st;

	(void)state;
	log_sink_init(&sink, "banter", place, false);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "one"), LOG_SINK_TAKEN);
	assert_int_equal(rename(place, other), 0);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "two"), LOG_SINK_TAKEN);
	assert_non_null(strstr(contents(other), " one\n"));
	assert_null(strstr(contents(other), "two"));
	assert_non_null(strstr(contents(place), " info ["));
	assert_non_null(strstr(contents(place), "] two\n"));
	assert_int_equal(stat(place, &st), 0);
	assert_int_equal(st.st_mode & 07, 0); /* it tells who asked when: not to everybody */
	assert_int_equal(truncate(place, 0), 0);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "three"), LOG_SINK_TAKEN);
	assert_int_equal(*contents(place), '2');
	assert_int_equal(unlink(place), 0);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "four"), LOG_SINK_TAKEN);
	assert_non_null(strstr(contents(place), "] four\n"));
	log_sink_clear(&sink);
}

static void a_file_that_cannot_be_made(void **state)
{
	struct log_sink sink;

	(void)state;
	log_sink_init(&sink, "banter", place, false);
	assert_int_equal(mkdir(place, 0700), 0);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "nowhere"), LOG_SINK_AWAY);
	assert_int_equal(sink.why, EISDIR);
	assert_int_equal(rmdir(place), 0);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "here"), LOG_SINK_TAKEN);
	assert_non_null(strstr(contents(place), "] the log could not be written (Is a directory): "
						"1 of this process's lines are missing here\n"));
	/* Moved to where no other can follow, it is still written to; gone, it is not. */
	assert_int_equal(rename(place, other), 0);
	assert_int_equal(mkdir(place, 0700), 0);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "moved"), LOG_SINK_TAKEN);
	assert_non_null(strstr(contents(other), "] moved\n"));
	assert_int_equal(unlink(other), 0);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "gone"), LOG_SINK_AWAY);
	assert_int_equal(rmdir(place), 0);
	log_sink_clear(&sink);
}

/* As on a full disk: what fits of a line is there, and the next one begins anew. */
static void half_a_line_is_counted(void **state)
{
	struct rlimit before, small;
	struct log_sink sink;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){ 100, before.rlim_max };
	log_sink_init(&sink, "banter", place, false);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "one"), LOG_SINK_TAKEN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "two, which is long enough for it"),
			 LOG_SINK_AWAY);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "three"), LOG_SINK_AWAY);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(strlen(contents(place)), 100);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "four"), LOG_SINK_TAKEN);
	assert_int_equal(contents(place)[100], '\n');
	assert_non_null(strstr(contents(place) + 100, "(File too large): 2 of this process's"));
	assert_non_null(strstr(contents(place) + 100, "] four\n"));
	log_sink_clear(&sink);
}

/* Between poll() and write() others may fill it. */
static void many_processes_and_a_pipe_that_nobody_reads(void **state)
{
	struct log_sink sink = LOG_SINK_STDERR;
	int before = dup(STDERR_FILENO), fds[2], i, j, result;
	int64_t start = clock_ms();
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	for (i = 0; i < 8; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid)
			continue;
		dup2(fds[1], STDERR_FILENO);
		alarm(QUICK_MS / 1000);
		for (j = 0; j < 1000; j++)
			log_sink_put(&sink, LOG_LEVEL_INFO, "a line of some length, as they are");
		_exit(sink.lost ? 0 : 1);
	}
	while ((pid = wait(&result)) > 0)
		assert_int_equal(result, 0);
	assert_true(clock_ms() - start < 2 * QUICK_MS);
	close(fds[0]);
	close(fds[1]);
	close(before);
}

static void who_is_forked_counts_its_own(void **state)
{
	struct log_sink sink;
	int result;
	pid_t pid;

	(void)state;
	log_sink_init(&sink, "banter", place, true);
	assert_int_equal(log_sink_put(&sink, LOG_LEVEL_INFO, "lost"), LOG_SINK_AWAY);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		log_sink_put(&sink, LOG_LEVEL_INFO, "lost");
		_exit((int)sink.lost);
	}
	assert_int_equal(waitpid(pid, &result, 0), pid);
	assert_int_equal(WEXITSTATUS(result), 1);
	log_sink_clear(&sink);
}

/* The system calls of a process that puts a line and then so many more. */
static int calls_of(struct log_sink *sink, int lines)
{
	struct __ptrace_syscall_info info;
	int result, calls = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		log_sink_put(sink, LOG_LEVEL_INFO, "one");
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(1);
		raise(SIGSTOP);
		while (lines--)
			log_sink_put(sink, LOG_LEVEL_INFO, "another");
		_exit(0);
	}
	while (waitpid(pid, &result, 0) == pid && WIFSTOPPED(result)) {
		ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD);
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
		    info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr != SYS_clock_gettime)
			calls++; /* the clock is none, but on some machines */
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	}
	assert_int_equal(result, 0);
	return calls;
}

static int calls_of_a_line(struct log_sink *sink)
{
	int calls = (calls_of(sink, 4) - calls_of(sink, 1)) / 3;

	log_sink_clear(sink);
	return calls;
}

/* Who speaks, and the line. */
static void a_line_is_two_calls(void **state)
{
	int before = dup(STDERR_FILENO), ends[2][2], listener = listen_there(), i;
	int file = open(other, O_WRONLY | O_CREAT, 0600);
	struct log_sink sink = LOG_SINK_STDERR;

	(void)state;
	assert_int_equal(pipe(ends[0]), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[1]), 0);
	for (i = 0; i < 3; i++) {
		dup2(i < 2 ? ends[i][1] : file, STDERR_FILENO);
		assert_int_equal(calls_of_a_line(&sink), 2);
	}
	dup2(before, STDERR_FILENO);
	log_sink_init(&sink, "banter", place, true);
	assert_int_equal(calls_of_a_line(&sink), 2);
	log_sink_init(&sink, "banter", other, false);
	assert_int_equal(calls_of_a_line(&sink),
			 3); /* ... and whether the file is still that one */
	for (i = 0; i < 4; i++)
		close(ends[i / 2][i % 2]);
	close(listener);
	close(file);
	close(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(syslog_hears_what_libc_would_say, empty_folder),
		cmocka_unit_test_teardown(a_syslog_daemon_that_does_not_read_stops_nobody,
					  empty_folder),
		cmocka_unit_test_teardown(a_syslog_daemon_that_comes_back_is_found, empty_folder),
		cmocka_unit_test_teardown(a_file_that_was_moved_away_is_made_again, empty_folder),
		cmocka_unit_test_teardown(a_file_that_cannot_be_made, empty_folder),
		cmocka_unit_test_teardown(half_a_line_is_counted, empty_folder),
		cmocka_unit_test(many_processes_and_a_pipe_that_nobody_reads),
		cmocka_unit_test_teardown(who_is_forked_counts_its_own, empty_folder),
		cmocka_unit_test_teardown(a_line_is_two_calls, empty_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
