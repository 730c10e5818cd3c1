/*
 * The calls of calls.h, each between us and what it calls.  Rests on the linker's --wrap, which is for
 * our own objects only.
 */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_FCGI_DEFINES
#include <fcgi_stdio.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <json-c/json.h>
#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <zlib.h>

#undef curl_easy_setopt

extern const char __executable_start; /* the linker's */

static struct torture of_this_process;
struct torture *torture = &of_this_process;

/* Before main(), whose first calls may be the ones that fail. */
static __attribute__((constructor)) void find_control(void)
{
	const char *path = getenv("TORTURE_CONTROL");
	int fd = path ? (open)(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory;

	if (fd < 0)
		return;
	memory = (mmap)(NULL, sizeof(*torture), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(close)(fd);
	if (memory != MAP_FAILED)
		torture = memory;
}

static bool is_meant(void)
{
	char name[16] = "";

	if (!*torture->process)
		return true;
	prctl(PR_GET_NAME, name);
	return strcmp(name, torture->process) == 0 && getpid() != torture->besides;
}

static bool fails(const char *name, const void *from)
{
	if (!is_meant() || atomic_fetch_add(&torture->count, 1) + 1 != torture->fail_at)
		return false;
	torture->from = (const char *)from - &__executable_start;
	snprintf(torture->name, sizeof(torture->name), "%s", name);
	return true;
}

#define FAILS(name) fails(#name, __builtin_return_address(0))

static void *made(void *memory)
{
	if (memory)
		atomic_fetch_add(&torture->alive, 1);
	return memory;
}

/* What --wrap calls ours, and what it calls theirs. */
#define DECLARE(name, type, parameters)                                                            \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;

#define MEMORY(name, type, parameters, arguments)                                                  \
	DECLARE(name, type, parameters)                                                            \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		if (FAILS(name)) {                                                                 \
			errno = ENOMEM;                                                            \
			return NULL;                                                               \
		}                                                                                  \
		return made(__real_##name arguments);                                              \
	}
#define CALL(name, type, parameters, arguments, failed, error)                                     \
	DECLARE(name, type, parameters)                                                            \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		if (FAILS(name)) {                                                                 \
			errno = error;                                                             \
			return failed;                                                             \
		}                                                                                  \
		return __real_##name arguments;                                                    \
	}
#define OWN(name)
#include "calls.h"

DECLARE(realloc, void *, (void *memory, size_t n))
DECLARE(reallocarray, void *, (void *memory, size_t count, size_t n))
DECLARE(free, void, (void *memory))
DECLARE(close, int, (int fd))
DECLARE(fcntl, int, (int fd, int what, ...))
DECLARE(ioctl, int, (int fd, unsigned long what, ...))
DECLARE(open, int, (const char *path, int flags, ...))
DECLARE(PQgetResult, PGresult *, (PGconn * conn))
DECLARE(curl_easy_setopt, CURLcode, (CURL * easy, CURLoption option, ...))
DECLARE(FCGX_Accept_r, int, (FCGX_Request * request))

/* The last argument, where there is one: all that we give fit a register. */
#define LAST(after)                                                                                \
	va_list list;                                                                              \
	void *last;                                                                                \
	va_start(list, after);                                                                     \
	last = va_arg(list, void *);                                                               \
	va_end(list)

void *__wrap_realloc(void *memory, size_t n)
{
	void *moved;

	if (FAILS(realloc)) {
		errno = ENOMEM;
		return NULL;
	}
	moved = __real_realloc(memory, n);
	return memory ? moved : made(moved);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t n)
{
	void *moved;

	if (FAILS(reallocarray)) {
		errno = ENOMEM;
		return NULL;
	}
	moved = __real_reallocarray(memory, count, n);
	return memory ? moved : made(moved);
}

void __wrap_free(void *memory)
{
	if (memory)
		atomic_fetch_sub(&torture->alive, 1);
	__real_free(memory);
}

/* As Linux has it: closed it is all the same. */
int __wrap_close(int fd)
{
	int failed = FAILS(close), result = __real_close(fd);

	if (!failed)
		return result;
	errno = EIO;
	return -1;
}

int __wrap_fcntl(int fd, int what, ...)
{
	LAST(what);
	if (FAILS(fcntl)) {
		errno = EMFILE;
		return -1;
	}
	return __real_fcntl(fd, what, last);
}

int __wrap_ioctl(int fd, unsigned long what, ...)
{
	LAST(what);
	if (FAILS(ioctl)) {
		errno = ENOMEM;
		return -1;
	}
	return __real_ioctl(fd, what, last);
}

int __wrap_open(const char *path, int flags, ...)
{
	LAST(flags);
	if (FAILS(open)) {
		errno = EMFILE;
		return -1;
	}
	return __real_open(path, flags, last);
}

/* A result that there is no memory for: libpq then makes one that says so. The end of them is none. */
PGresult *__wrap_PQgetResult(PGconn *conn)
{
	PGresult *result = __real_PQgetResult(conn);

	if (!result || !FAILS(PQgetResult))
		return result;
	PQclear(result);
	return PQmakeEmptyPGresult(conn, PGRES_FATAL_ERROR);
}

/* Text is copied, and for that there may be no memory. */
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	const struct curl_easyoption *known = curl_easy_option_by_id(option);

	LAST(option);
	if (known && known->type == CURLOT_STRING && last && FAILS(curl_easy_setopt))
		return CURLE_OUT_OF_MEMORY;
	return __real_curl_easy_setopt(easy, option, last);
}

/* As libfcgi does where what came is no request. */
int __wrap_FCGX_Accept_r(FCGX_Request *request)
{
	if (!FAILS(FCGX_Accept_r))
		return __real_FCGX_Accept_r(request);
	FCGX_Free(request, 1);
	return -1;
}
