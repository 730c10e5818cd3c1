/* The shared limits' file: shared by processes of one user, replaced when it cannot be used, never at others' cost. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "chat/limit.h"
#include "chat/limit_file.h"
#include "chat/limit_table.h"

#define HOUR_MS 3600000
#define ALICE STR("192.0.2.1")

static struct limit *open_limit(const char *file, uint32_t holders)
{
	struct limit *limit = NULL;

	assert_int_equal(limit_open(file, holders, &limit), STATUS_OK);
	assert_non_null(limit);
	return limit;
}

static bool count(struct limit *limit, struct str who, int64_t most)
{
	int64_t retry_s = 0;

	return limit_count(limit, LIMIT_REQUESTS, who, most, HOUR_MS, &retry_s);
}

static void wait_for(pid_t pid)
{
	int result;

	assert_int_equal(waitpid(pid, &result, 0), pid);
}

/* What each of many processes counted, summed over a pipe. */
static int64_t passed_of_eight(const char *file, int each, int64_t most)
{
	struct limit *limit = NULL;
	int64_t passed = 0, sum = 0;
	int fds[2], i, k;
	pid_t pids[8];

	assert_int_equal(pipe(fds), 0);
	for (i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			if (limit_open(file, 16, &limit) != STATUS_OK)
				_exit(1);
			for (k = 0; k < each; k++)
				passed += count(limit, ALICE, most);
			_exit(write(fds[1], &passed, sizeof(passed)) != sizeof(passed));
		}
	}
	for (i = 0; i < 8; i++)
		wait_for(pids[i]);
	close(fds[1]);
	for (i = 0; read(fds[0], &passed, sizeof(passed)) == sizeof(passed); i++)
		sum += passed;
	assert_int_equal(i, 8);
	close(fds[0]);
	return sum;
}

/* Runs with stderr in a file and gives its text: what is logged is part of the result. */
static enum status open_logged(const char *file, char *text, size_t size)
{
	int kept = dup(STDERR_FILENO), fd = memfd_create("stderr", 0);
	struct limit *limit = NULL;
	enum status status;
	ssize_t n;

	dup2(fd, STDERR_FILENO);
	status = limit_open(file, 16, &limit);
	dup2(kept, STDERR_FILENO);
	close(kept);
	n = pread(fd, text, size - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	close(fd);
	limit_close(limit);
	return status;
}

struct place {
	char folder[64], file[80];
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->folder, "/tmp/banter-limit.XXXXXX");
	if (!mkdtemp(place->folder))
		return -1;
	snprintf(place->file, sizeof(place->file), "%s/table", place->folder);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	unlink(place->file);
	rmdir(place->folder);
	free(place);
	return 0;
}

static void file_is_shared_and_private(void **state)
{
	struct place *place = *state;
	struct limit *one = open_limit(place->file, 16), *two = open_limit(place->file, 16);
	struct stat st;

	assert_int_equal(stat(place->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(count(one, ALICE, 1));
	assert_false(count(two, ALICE, 1));
	limit_close(one);
	limit_close(two);
	two = open_limit(place->file, 16);
	assert_false(count(two, ALICE, 1));
	limit_close(two);
}

static void file_opened_by_many_at_once(void **state)
{
	struct place *place = *state;
	int i;

	for (i = 0; i < 10; i++) {
		unlink(place->file);
		assert_int_equal(passed_of_eight(place->file, 10, 33), 33);
	}
}

static void file_of_another_layout_is_replaced(void **state)
{
	struct place *place = *state;
	struct limit *old, *fresh;

	old = open_limit(place->file, 8);
	assert_true(count(old, ALICE, 1));
	fresh = open_limit(place->file, 16);
	assert_true(count(fresh, ALICE, 1));
	assert_false(count(old, ALICE, 1)); /* who has the old one mapped can go on */
	limit_close(old);
	/* From before a reboot. */
	fresh->memory->layout.boot[0] ^= 1;
	old = fresh;
	fresh = open_limit(place->file, 16);
	assert_true(count(fresh, ALICE, 1));
	limit_close(old);
	/* Of another version. */
	fresh->memory->layout.version++;
	old = fresh;
	fresh = open_limit(place->file, 16);
	assert_true(count(fresh, ALICE, 1));
	limit_close(old);
	/* Its maker died before it was finished. */
	memset(&fresh->memory->layout, 0, sizeof(fresh->memory->layout));
	old = fresh;
	fresh = open_limit(place->file, 16);
	assert_true(count(fresh, ALICE, 1));
	limit_close(old);
	/* Others may read it. */
	assert_int_equal(chmod(place->file, 0644), 0);
	old = fresh;
	fresh = open_limit(place->file, 16);
	assert_true(count(fresh, ALICE, 1));
	limit_close(old);
	limit_close(fresh);
}

static void other_things_are_left_alone(void **state)
{
	struct place *place = *state;
	char text[1024], link[100];
	int fd;

	fd = open(place->file, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "a diary\n", 8), 8);
	close(fd);
	assert_int_equal(open_logged(place->file, text, sizeof(text)), STATUS_FAILED);
	assert_non_null(strstr(text, "something else"));
	assert_non_null(strstr(text, "BANTER_SHARED_FILE"));
	assert_int_equal(access(place->file, F_OK), 0);
	snprintf(link, sizeof(link), "%s/link", place->folder);
	assert_int_equal(symlink("elsewhere", link), 0);
	assert_int_equal(open_logged(link, text, sizeof(text)), STATUS_FAILED);
	unlink(link);
	assert_int_equal(open_logged(place->folder, text, sizeof(text)), STATUS_FAILED);
	assert_int_equal(open_logged("/nonexistent/table", text, sizeof(text)), STATUS_FAILED);
	assert_non_null(strstr(text, "No such file"));
	unlink(place->file);
	assert_int_equal(mkfifo(place->file, 0600), 0);
	assert_int_equal(open_logged(place->file, text, sizeof(text)), STATUS_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(file_is_shared_and_private, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(file_opened_by_many_at_once, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(file_of_another_layout_is_replaced, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(other_things_are_left_alone, make_place,
						remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
