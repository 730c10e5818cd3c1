/*
 * Mapping, and a file's first filling and replacing, by many processes at once.  Rests on mmap(2)
 * and flock(2).
 */
#include "base/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define TRIES 100 /* how often another process may replace the file under our hands */

struct shared_layout shared_layout_of(const char *magic, uint32_t version, uint64_t bytes)
{
	struct shared_layout layout;

	memset(&layout, 0, sizeof(layout));
	memcpy(layout.magic, magic, sizeof(layout.magic));
	layout.version = version;
	layout.bytes = bytes;
	return layout;
}

void shared_layout_boot(struct shared_layout *layout)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, layout->boot, sizeof(layout->boot) - 1);
	if (n < 0)
		log_warn("the kernel's boot id cannot be read: %s", strerror(errno));
	close(fd);
}

static void *map(int fd, size_t bytes)
{
	int flags = MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void *shared_memory_new(size_t bytes)
{
	return map(-1, bytes);
}

void *shared_memory_reserve(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* MADV_DONTNEED would take them from us alone. Where the kernel cannot, they are zeroed at least. */
void shared_memory_drop(void *memory, size_t bytes)
{
	if (madvise(memory, bytes, MADV_REMOVE))
		memset(memory, 0, bytes);
}

void shared_memory_free(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}

/* The layout goes last: a file without it is one whose maker died. */
static bool fill_first(void *memory, const struct shared_layout *layout, shared_memory_fill_fn fill)
{
	if (!fill(memory))
		return false;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memcpy(memory, layout, sizeof(*layout));
	return true;
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
 * A wrong path in the settings must not cost anybody a file: only one of ours, or one never finished,
 * is replaced.
 */
static bool replaceable(int fd, const struct stat *st, const struct shared_layout *layout)
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
static enum found take_file(int fd, const struct shared_layout *layout, shared_memory_fill_fn fill,
			    void **out)
{
	void *memory;
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
		found = fill_first(memory, layout, fill) ? FOUND_GOOD : FOUND_ERROR;
	else
		found = memcmp(memory, layout, sizeof(*layout)) ? FOUND_OTHER : FOUND_GOOD;
	if (found == FOUND_GOOD)
		*out = memory;
	else
		munmap(memory, layout->bytes);
	return found;
}

/*
 * One try: FOUND_OTHER says that the file was removed, or replaced by another process: try again.
 */
static enum found try_file(const char *path, const struct shared_layout *layout,
			   shared_memory_fill_fn fill, void **out)
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
	found = take_file(fd, layout, fill, out);
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

static enum status open_anonymous(size_t bytes, shared_memory_fill_fn fill, void **out)
{
	void *memory = shared_memory_new(bytes);

	if (!memory)
		return STATUS_NOMEM;
	if (!fill(memory)) {
		shared_memory_free(memory, bytes);
		return STATUS_FAILED;
	}
	*out = memory;
	return STATUS_OK;
}

enum status shared_memory_open(const char *path, const struct shared_layout *layout,
			       shared_memory_fill_fn fill, void **out, const char **why)
{
	enum found found = FOUND_OTHER;
	int i;

	if (!path)
		return open_anonymous(layout->bytes, fill, out);
	for (i = 0; i < TRIES && found == FOUND_OTHER; i++)
		found = try_file(path, layout, fill, out);
	if (found == FOUND_GOOD)
		return STATUS_OK;
	*why = found == FOUND_ERROR	? strerror(errno)
	       : found == FOUND_FOREIGN ? "it is something else"
					: "it is replaced all the time";
	return STATUS_FAILED;
}

enum status shared_memory_look(const char *path, const struct shared_layout *layout, void **out,
			       const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	void *memory = MAP_FAILED;
	struct stat st;

	*why = "it is of another version of the program, or something else";
	if (fd < 0 || fstat(fd, &st) < 0)
		*why = strerror(errno);
	else if ((uint64_t)st.st_size == layout->bytes)
		memory = mmap(NULL, layout->bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (memory == MAP_FAILED)
		return STATUS_FAILED;
	if (memcmp(memory, layout, sizeof(*layout)) == 0) {
		*out = memory;
		return STATUS_OK;
	}
	munmap(memory, layout->bytes);
	return STATUS_FAILED;
}
