/*
 * Where the memory of the shared limits comes from: an anonymous mapping, or a file that processes
 * of one user share.  Not for what is in it, but for its first filling.  Rests on mmap(2) and
 * flock(2).
 */
#include "chat/limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "chat/limit_table.h"

#define LAYOUT_VERSION 1
#define TRIES 100 /* how often another process may replace the file under our hands */

static struct limit_layout layout_of(uint32_t holders)
{
	struct limit_layout layout;
	ssize_t n;
	int fd;

	memset(&layout, 0, sizeof(layout));
	memcpy(layout.magic, "banter-l", sizeof(layout.magic));
	layout.version = LAYOUT_VERSION;
	layout.entries = LIMIT_ENTRIES;
	layout.ways = LIMIT_WAYS;
	layout.holders = holders;
	layout.bytes = sizeof(struct limit_memory) + holders * sizeof(struct limit_holder);
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, layout.boot, sizeof(layout.boot) - 1);
		if (n < 0)
			log_warn("the kernel's boot id cannot be read: %s", strerror(errno));
		close(fd);
	}
	return layout;
}

/* Fills fresh, zeroed memory. The layout goes last: a file without it is one whose maker died. */
static bool fill(struct limit_memory *memory, const struct limit_layout *layout)
{
	pthread_mutexattr_t attr;
	int error;

	secret_random(memory->key, sizeof(memory->key));
	pthread_mutexattr_init(&attr);
	error = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (!error)
		error = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (!error)
		error = pthread_mutex_init(&memory->mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	if (error) {
		log_error("no mutex for the shared limits: %s", strerror(error));
		return false;
	}
	LIMIT_ORDER();
	memory->layout = *layout;
	return true;
}

static void *map(int fd, size_t bytes)
{
	int flags = MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

enum found {
	FOUND_GOOD,    /* mapped */
	FOUND_OTHER,   /* of another layout, owner or mode: to be replaced */
	FOUND_FOREIGN, /* something else that lies there: to be left alone */
	FOUND_ERROR,   /* errno says why */
};

static bool ours(const struct stat *st)
{
	return st->st_uid == geteuid() && st->st_nlink == 1 && !(st->st_mode & 077);
}

/*
 * A wrong path in the settings must not cost anybody a file: only a table, or one never finished,
 * is replaced.
 */
static bool replaceable(int fd, const struct stat *st, const struct limit_layout *layout)
{
	static const char unfinished[sizeof(layout->magic)];
	char magic[sizeof(layout->magic)] = { 0 };
	ssize_t n;

	if (!S_ISREG(st->st_mode))
		return false;
	n = pread(fd, magic, sizeof(magic), 0);
	return n >= 0 && (!memcmp(magic, layout->magic, sizeof(magic)) ||
			  !memcmp(magic, unfinished, sizeof(magic)));
}

/* Looks at the locked file, fills it if it is empty, and maps it. */
static enum found take_file(int fd, const struct limit_layout *layout, struct limit_memory **out)
{
	struct limit_memory *memory;
	enum found found;
	struct stat st;
	bool fresh;
	int error;

	if (fstat(fd, &st) < 0)
		return FOUND_ERROR;
	if (!replaceable(fd, &st, layout))
		return FOUND_FOREIGN;
	fresh = st.st_size == 0;
	if (!ours(&st) || (!fresh && (uint64_t)st.st_size != layout->bytes))
		return FOUND_OTHER;
	if (fresh) {
		/* Not ftruncate: a full file system must show now, not as SIGBUS later. */
		error = posix_fallocate(fd, 0, (off_t)layout->bytes);
		if (error) {
			errno = error;
			return FOUND_ERROR;
		}
	}
	memory = map(fd, layout->bytes);
	if (!memory)
		return FOUND_ERROR;
	if (fresh)
		found = fill(memory, layout) ? FOUND_GOOD : FOUND_ERROR;
	else
		found = memcmp(&memory->layout, layout, sizeof(*layout)) ? FOUND_OTHER : FOUND_GOOD;
	if (found == FOUND_GOOD)
		*out = memory;
	else
		munmap(memory, layout->bytes);
	return found;
}

/*
 * One try: FOUND_OTHER says that the file was removed, or replaced by another process: try again.
 */
static enum found try_file(const char *path, const struct limit_layout *layout,
			   struct limit_memory **out)
{
	enum found found = FOUND_ERROR;
	struct stat st, there;
	int fd, error;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return FOUND_ERROR;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			goto out;
	/* While we waited for the lock, its holder may have put another file in this place. */
	if (fstat(fd, &st) < 0)
		goto out;
	if (lstat(path, &there) < 0 || st.st_ino != there.st_ino || st.st_dev != there.st_dev) {
		found = FOUND_OTHER;
		goto out;
	}
	found = take_file(fd, layout, out);
	/* Those who have the old one mapped keep it; it is not changed under them. */
	if (found == FOUND_OTHER && unlink(path) < 0 && errno != ENOENT)
		found = FOUND_ERROR;
out:
	/* The mapping keeps the open file, and with it the lock, beyond close(). */
	error = errno;
	flock(fd, LOCK_UN);
	close(fd);
	errno = error;
	return found;
}

static enum status open_file(const char *path, const struct limit_layout *layout,
			     struct limit_memory **out)
{
	enum found found = FOUND_OTHER;
	const char *why;
	int i;

	for (i = 0; i < TRIES && found == FOUND_OTHER; i++)
		found = try_file(path, layout, out);
	if (found == FOUND_GOOD)
		return STATUS_OK;
	why = found == FOUND_ERROR     ? strerror(errno)
	      : found == FOUND_FOREIGN ? "it is something else"
				       : "it is replaced all the time";
	log_error("the shared limits' file %s cannot be used: %s; set BANTER_SHARED_FILE to "
		  "another path",
		  path, why);
	return STATUS_FAILED;
}

enum status limit_open_table(const char *file, uint32_t holders, struct limit **out)
{
	struct limit_layout layout = layout_of(holders);
	struct limit *limit = calloc(1, sizeof(*limit));
	enum status status = STATUS_NOMEM;

	if (!limit)
		return STATUS_NOMEM;
	limit->bytes = layout.bytes;
	limit->holders = holders;
	if (file && *file) {
		status = open_file(file, &layout, &limit->memory);
	} else {
		limit->memory = map(-1, limit->bytes);
		if (limit->memory)
			status = fill(limit->memory, &layout) ? STATUS_OK : STATUS_FAILED;
	}
	if (status != STATUS_OK) {
		limit_close_table(limit);
		return status;
	}
	*out = limit;
	return STATUS_OK;
}

void limit_close_table(struct limit *limit)
{
	if (limit && limit->memory)
		munmap(limit->memory, limit->bytes);
	free(limit);
}
