/* The listening socket: we bind it ourselves, since FCGX_OpenSocket exits on any error. */
#include "edge/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "wire/address.h"

static bool somebody_listens(const struct sockaddr_un *at)
{
	/* Where its backlog is full we would wait with it. */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes;

	if (fd < 0)
		return false;
	yes = connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 || errno != ECONNREFUSED;
	close(fd);
	return yes;
}

static enum status bind_unix(int fd, const char *path, unsigned mode)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t before;
	int failed;

	if (strlen(path) >= sizeof(at.sun_path)) {
		log_error("the socket's path is longer than %zu bytes: %s", sizeof(at.sun_path) - 1,
			  path);
		return STATUS_FAILED;
	}
	strcpy(at.sun_path, path);
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			log_error("%s is there and is no socket: move it away", path);
			return STATUS_FAILED;
		}
		if (somebody_listens(&at)) {
			log_error("another program already listens on %s", path);
			return STATUS_FAILED;
		}
		unlink(path);
	}
	/* Nobody may connect between bind and chmod. */
	before = umask(0177);
	failed = bind(fd, (struct sockaddr *)&at, sizeof(at)) ? errno : 0;
	umask(before);
	if (!failed && chmod(path, (mode_t)mode))
		failed = errno;
	if (failed) {
		log_error("cannot listen on unix:%s: %s", path, strerror(failed));
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

/* Is that address this machine's alone? */
static bool is_local(const struct addrinfo *at)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (at->ai_family == AF_INET) {
		memcpy(&four, at->ai_addr, sizeof(four));
		return ntohl(four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	memcpy(&six, at->ai_addr, sizeof(six));
	return at->ai_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
}

/* errno stays what it was. */
static int give_up(int fd)
{
	int why = errno;

	close(fd);
	errno = why;
	return -1;
}

static int bind_one(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
			bind(fd, at->ai_addr, at->ai_addrlen)))
		fd = give_up(fd);
	return fd;
}

/*
 * A name such as localhost, which is 127.0.0.1 and ::1: one socket for both. It takes what comes by
 * the loopback device, in either protocol; from another machine nothing can.
 */
static int bind_local(const struct addrinfo *found)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 }, six;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, off = 0;

	memcpy(&six, found->ai_addr, sizeof(any.sin6_family) + sizeof(any.sin6_port));
	any.sin6_port = six.sin6_port; /* at the same place in both families */
	if (fd >= 0 && (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
			setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")) ||
			setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
			bind(fd, (struct sockaddr *)&any, sizeof(any))))
		fd = give_up(fd);
	return fd;
}

/* All that the name gives, where one socket can; else its first address. -1: errno says why. */
static int bind_tcp(const char *address, const struct addrinfo *found)
{
	const struct addrinfo *at;
	bool local = true;
	int fd;

	if (!found->ai_next)
		return bind_one(found);
	for (at = found; at; at = at->ai_next)
		local = local && is_local(at);
	fd = local ? bind_local(found) : -1;
	if (fd >= 0)
		return fd;
	fd = bind_one(found);
	if (fd >= 0)
		log_warn(
			"%s has several addresses, and only the first is listened on: name the one "
			"that the web server connects to",
			address);
	return fd;
}

static enum status open_tcp(const char *address, int *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *found = NULL;
	char host[256], digits[8];
	struct str name, port;
	const char *why;

	if (!address_split(str_from(address), &name, &port) || !port.p) {
		log_error("cannot listen on %s: it must be unix:PATH or HOST:PORT", address);
		return STATUS_FAILED;
	}
	snprintf(host, sizeof(host), "%.*s", STR_ARGS(name));
	snprintf(digits, sizeof(digits), "%.*s", STR_ARGS(port));
	if (getaddrinfo(host, digits, &hints, &found)) {
		log_error("cannot listen on %s: no such address", address);
		return STATUS_FAILED;
	}
	*out = bind_tcp(address, found);
	if (*out < 0) {
		why = errno == EADDRINUSE ? "the port is taken" : strerror(errno);
		log_error("cannot listen on %s: %s", address, why);
	}
	freeaddrinfo(found);
	return *out < 0 ? STATUS_FAILED : STATUS_OK;
}

enum status listen_open(const char *address, unsigned mode, int backlog, int *out)
{
	enum status status;
	int fd = -1;

	if (strncmp(address, "unix:", 5) == 0) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		status = fd < 0 ? STATUS_FAILED : bind_unix(fd, address + 5, mode);
		if (fd < 0)
			log_error("cannot listen on %s: %s", address, strerror(errno));
	} else {
		status = open_tcp(address, &fd);
	}
	if (status == STATUS_OK && listen(fd, backlog)) {
		log_error("cannot listen on %s: %s", address, strerror(errno));
		status = STATUS_FAILED;
	}
	if (status) {
		if (fd >= 0)
			close(fd);
		return status;
	}
	*out = fd;
	return STATUS_OK;
}

void listen_file_of(int fd, struct listen_file *out)
{
	struct sockaddr_un at = { .sun_family = AF_UNSPEC };
	socklen_t size = sizeof(at);
	struct stat st;

	*out = (struct listen_file){ .path = "" };
	/* A name that fills all of its room has no NUL behind it. */
	if (getsockname(fd, (struct sockaddr *)&at, &size) || at.sun_family != AF_UNIX ||
	    memchr(at.sun_path, '\0', sizeof(at.sun_path)) == NULL || lstat(at.sun_path, &st))
		return;
	strcpy(out->path, at.sun_path);
	out->device = st.st_dev;
	out->inode = st.st_ino;
}

bool listen_file_stands(const struct listen_file *file)
{
	struct stat st;

	return !*file->path || (lstat(file->path, &st) == 0 && st.st_dev == file->device &&
				st.st_ino == file->inode);
}
