/* The listening socket: we bind it ourselves, since FCGX_OpenSocket exits on any error. */
#include "edge/listen.h"

#include <errno.h>
#include <netdb.h>
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

static enum status open_tcp(const char *address, int *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *found = NULL;
	char host[256], digits[8];
	struct str name, port;
	const char *why;
	int fd, on = 1;

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
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, found->ai_addr, found->ai_addrlen)) {
		why = errno == EADDRINUSE ? "the port is taken" : strerror(errno);
		log_error("cannot listen on %s: %s", address, why);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	*out = fd;
	return fd < 0 ? STATUS_FAILED : STATUS_OK;
}

enum status listen_open(const char *address, unsigned mode, int backlog, int *out)
{
	enum status status;
	int fd = -1;

	if (strncmp(address, "unix:", 5) == 0) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		status = fd < 0 ? STATUS_FAILED : bind_unix(fd, address + 5, mode);
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
