/* base/secret: ids that sort by time and repeat never, and an environment without what was scrubbed. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

#define NAME "BANTER_TEST_SECRET"
#define VALUE "hunter2-hunter2"

static void random_fills_all(void **state)
{
	unsigned char seen[64] = { 0 }, bytes[64];
	size_t i, round;

	(void)state;
	/* A byte that stays zero for 32 rounds by chance: less than 2^-240. */
	for (round = 0; round < 32; round++) {
		secret_random(bytes, sizeof(bytes));
		for (i = 0; i < sizeof(bytes); i++)
			seen[i] |= bytes[i];
	}
	for (i = 0; i < sizeof(seen); i++)
		assert_int_not_equal(seen[i], 0);
	secret_random(bytes, 0);
}

static void ids_are_unlike(void **state)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	char ids[200][SECRET_ID_SIZE];
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(ids); i += 4) {
		secret_new_id(ids[i]);
		secret_new_ids((char *const[]){ ids[i + 1], ids[i + 2], ids[i + 3] }, 3);
	}
	for (i = 0; i < COUNT(ids); i++) {
		assert_int_equal(strlen(ids[i]), SECRET_ID_SIZE - 1);
		assert_int_equal(strspn(ids[i], digits), SECRET_ID_SIZE - 1);
		for (j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
	assert_true(strncmp(ids[0], ids[COUNT(ids) - 1], 10) <= 0);
}

/* Runs this program again with the secret in its environment, as "child". */
static int run_child(const char *mode)
{
	char *const argv[] = { (char *)"test_secret", (char *)mode, NULL };
	char *const env[] = { (char *)"PATH=/bin", (char *)NAME "=" VALUE, (char *)"LAST=1", NULL };
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		execve("/proc/self/exe", argv, env);
		_exit(99);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static bool environ_holds(const char *text)
{
	char bytes[4096];
	int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, bytes, sizeof(bytes));

	close(fd);
	return n > 0 && memmem(bytes, (size_t)n, text, strlen(text));
}

static int child_scrubs(void)
{
	if (!environ_holds(VALUE) || !environ_holds(NAME))
		return 1;
	secret_scrub_env(NAME);
	secret_scrub_env("BANTER_TEST_ABSENT");
	if (getenv(NAME) || environ_holds(VALUE))
		return 2;
	return getenv("LAST") && environ_holds("LAST=1") ? 0 : 3;
}

static int child_protects(void)
{
	struct rlimit core;

	secret_protect_memory();
	if (getrlimit(RLIMIT_CORE, &core) || core.rlim_cur || core.rlim_max)
		return 1;
#ifndef __SANITIZE_ADDRESS__
	if (prctl(PR_GET_DUMPABLE))
		return 2;
#endif
	return 0;
}

static void scrubbed_from_proc_too(void **state)
{
	(void)state;
	assert_int_equal(run_child("scrub"), 0);
}

static void memory_is_protected(void **state)
{
	(void)state;
	assert_int_equal(run_child("protect"), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_fills_all),
		cmocka_unit_test(ids_are_unlike),
		cmocka_unit_test(scrubbed_from_proc_too),
		cmocka_unit_test(memory_is_protected),
	};

	/* _exit: a leak checker could not trace a protected process. */
	if (argc > 1)
		_exit(strcmp(argv[1], "scrub") == 0 ? child_scrubs() : child_protects());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
