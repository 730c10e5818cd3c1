/*
 * What a machine does to PostgreSQL, for tests, preloaded into it. While there is the file that
 * BANTER_TEST_DISK names, no file whose path has the words in it that stand there can be written to:
 * its disk is full. While there is the one that BANTER_TEST_CLOCK names, the clock was set by so many
 * seconds as stand there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

/* What stands in the file that the variable names: NUL-ended, "" where there is none. errno stays. */
static void read_words(const char *variable, char words[64])
{
	const char *name = getenv(variable);
	int was = errno, file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = file < 0 ? 0 : read(file, words, 63);

	words[n < 0 ? 0 : n] = '\0';
	if (file >= 0)
		close(file);
	errno = was;
}

static bool full(int fd)
{
	char words[64], link[64], path[4096];
	int was = errno;
	ssize_t n;

	read_words("BANTER_TEST_DISK", words);
	if (!*words)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	errno = was;
	return strstr(path, words);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define UNLESS_FULL(call) (full(fd) ? (errno = ENOSPC, -1) : (call))

ssize_t write(int fd, const void *bytes, size_t n)
{
	return UNLESS_FULL(REAL(write)(fd, bytes, n));
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return UNLESS_FULL(REAL(pwrite)(fd, bytes, n, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	return UNLESS_FULL(REAL(pwrite64)(fd, bytes, n, at));
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
	return UNLESS_FULL(REAL(pwritev)(fd, pieces, count, at));
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at)
{
	return UNLESS_FULL(REAL(pwritev64)(fd, pieces, count, at));
}

int posix_fallocate(int fd, off_t at, off_t n)
{
	return full(fd) ? ENOSPC : REAL(posix_fallocate)(fd, at, n);
}

int posix_fallocate64(int fd, off64_t at, off64_t n)
{
	return full(fd) ? ENOSPC : REAL(posix_fallocate64)(fd, at, n);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	int failed = REAL(gettimeofday)(now, zone);
	char words[64];

	read_words("BANTER_TEST_CLOCK", words);
	now->tv_sec += atoi(words);
	return failed;
}
