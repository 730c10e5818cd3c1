/*
 * A FastCGI client of one request (the specification's sections 3 and 5): BEGIN_REQUEST, PARAMS,
 * STDIN out; STDOUT up to END_REQUEST in.
 */
#include "doctor/fastcgi_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/address.h"

enum { VERSION = 1, BEGIN = 1, END = 3, PARAMS = 4, STDIN_ = 5, STDOUT_ = 6 };

#define RECORD_MOST 65535
#define HEADER 8
#define REQUEST_CAP (1 << 20)
#define CONNECT_S 10

static int connect_unix(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = CONNECT_S };
	int fd;

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Where the backlog is full, connecting waits. */
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int connect_to(const struct addrinfo *at, int64_t deadline)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(error);
	int64_t left = deadline - clock_ms();

	if (fd < 0)
		return -1;
	if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&wait, 1, left > 0 ? (int)left : 0) == 1)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	}
	if (!error)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

/* HOST:PORT or [V6]:PORT, as the settings have held it against. */
static int connect_inet(const char *address, int64_t deadline)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL, *at;
	char host[256] = "", digits[8] = "";
	struct str name, port;
	int fd = -1;

	if (address_split(str_from(address), &name, &port)) {
		snprintf(host, sizeof(host), "%.*s", STR_ARGS(name));
		snprintf(digits, sizeof(digits), "%.*s", STR_ARGS(port));
	}
	errno = EADDRNOTAVAIL;
	if (*digits && getaddrinfo(host, digits, &hints, &found) == 0)
		for (at = found; at && fd < 0; at = at->ai_next)
			fd = connect_to(at, deadline);
	if (found)
		freeaddrinfo(found);
	return fd;
}

static void put_record(struct buf *out, int kind, struct str content)
{
	unsigned char header[HEADER] = { VERSION,
					 (unsigned char)kind,
					 0,
					 1,
					 (unsigned char)(content.n >> 8),
					 (unsigned char)content.n };

	buf_append(out, header, sizeof(header));
	buf_str(out, content);
}

static void put_length(struct buf *out, size_t n)
{
	unsigned char long_form[4] = { (unsigned char)(n >> 24 | 0x80), (unsigned char)(n >> 16),
				       (unsigned char)(n >> 8), (unsigned char)n };

	if (n < 128)
		buf_putc(out, (char)n);
	else
		buf_append(out, long_form, sizeof(long_form));
}

static void put_param(struct buf *out, const char *name, const char *value)
{
	put_length(out, strlen(name));
	put_length(out, strlen(value));
	buf_puts(out, name);
	buf_puts(out, value);
}

static enum status compose(const struct fastcgi_call *ask, struct buf *out)
{
	char length[24];
	struct str body = ask->body, piece;
	struct buf params;
	enum status status;

	buf_init(&params, RECORD_MOST);
	snprintf(length, sizeof(length), "%zu", body.n);
	put_param(&params, "REQUEST_METHOD", ask->method);
	put_param(&params, "REQUEST_URI", ask->path);
	put_param(&params, "SCRIPT_NAME", ask->path);
	put_param(&params, "CONTENT_LENGTH", length);
	put_param(&params, "CONTENT_TYPE", "application/json");
	put_param(&params, "REMOTE_ADDR", "127.0.0.1");
	put_param(&params, "SERVER_PROTOCOL", "HTTP/1.1");
	put_param(&params, "GATEWAY_INTERFACE", "CGI/1.1");
	if (ask->key)
		put_param(&params, "HTTP_X_API_KEY", ask->key);
	/* Role 1: a responder; no flags: the connection ends with the request. */
	put_record(out, BEGIN, (struct str){ "\0\1\0\0\0\0\0\0", 8 });
	put_record(out, PARAMS, buf_view(&params));
	put_record(out, PARAMS, STR(""));
	while (body.n) {
		piece = (struct str){ body.p, body.n < RECORD_MOST ? body.n : RECORD_MOST };
		put_record(out, STDIN_, piece);
		body = str_skip(body, piece.n);
	}
	put_record(out, STDIN_, STR(""));
	status = buf_check(&params) ? STATUS_NOMEM : buf_check(out);
	buf_wipe(&params);
	return status;
}

static enum status wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd wait = { .fd = fd, .events = events };
	int64_t left = deadline - clock_ms();
	int n;

	if (left <= 0)
		return STATUS_TIMEOUT;
	n = poll(&wait, 1, left < 1000 ? (int)left : 1000);
	return n < 0 && errno != EINTR ? STATUS_FAILED : STATUS_OK;
}

static enum status send_all(int fd, struct str bytes, int64_t deadline)
{
	enum status status;
	ssize_t n;

	while (bytes.n) {
		status = wait_for(fd, POLLOUT, deadline);
		if (status)
			return status;
		n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			bytes = str_skip(bytes, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return STATUS_CLOSED;
	}
	return STATUS_OK;
}

/* What a reply is made of, as it comes. */
struct fastcgi_reply {
	struct fastcgi_call *ask;
	struct buf records; /* unread bytes */
	struct buf head;    /* until its end has come */
	bool in_body, ended;
};

static void take_head(struct fastcgi_reply *reply)
{
	struct str all = buf_view(&reply->head), rest = all, line;

	str_cut(&rest, STR("\r\n\r\n"));
	if (rest.n == 0 && !memmem(all.p, all.n, "\r\n\r\n", 4))
		return;
	reply->in_body = true;
	while (all.n > rest.n && reply->ask->status == 0) {
		line = str_cut(&all, STR("\r\n"));
		if (str_starts(line, STR("Status: ")))
			reply->ask->status = (int)strtol(line.p + 8, NULL, 10);
	}
	if (rest.n && reply->ask->bytes)
		reply->ask->bytes(reply->ask->context, rest);
}

static void take_record(struct fastcgi_reply *reply, int kind, struct str content)
{
	if (kind == END) {
		reply->ended = true;
	} else if (kind == STDOUT_ && !reply->in_body) {
		buf_str(&reply->head, content);
		take_head(reply);
	} else if (kind == STDOUT_ && content.n && reply->ask->bytes) {
		reply->ask->bytes(reply->ask->context, content);
	}
}

static enum status take_records(struct fastcgi_reply *reply)
{
	const unsigned char *at;
	size_t content, all;

	while (reply->records.len >= HEADER && !reply->ended) {
		at = (const unsigned char *)reply->records.data;
		content = (size_t)at[4] << 8 | at[5];
		all = HEADER + content + at[6];
		if (at[0] != VERSION)
			return STATUS_INVALID;
		if (reply->records.len < all)
			break;
		take_record(reply, at[1], (struct str){ reply->records.data + HEADER, content });
		buf_consume(&reply->records, all);
	}
	return buf_check(&reply->head) ? STATUS_NOMEM : STATUS_OK;
}

static enum status receive(struct fastcgi_call *ask, int fd)
{
	struct fastcgi_reply reply = { .ask = ask };
	enum status status = STATUS_OK;
	char *room;
	ssize_t n;

	buf_init(&reply.records, 2 * (RECORD_MOST + HEADER + 255));
	buf_init(&reply.head, RECORD_MOST);
	while (status == STATUS_OK && !reply.ended) {
		status = wait_for(fd, POLLIN, ask->deadline);
		room = buf_room(&reply.records, RECORD_MOST);
		if (status || !room) {
			status = status ? status : STATUS_NOMEM;
			break;
		}
		n = recv(fd, room, RECORD_MOST, MSG_DONTWAIT);
		if (n > 0) {
			buf_grew(&reply.records, (size_t)n);
			status = take_records(&reply);
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			status = STATUS_CLOSED;
		}
	}
	buf_clear(&reply.records);
	buf_clear(&reply.head);
	return status;
}

enum status fastcgi_client_ask(struct fastcgi_call *ask)
{
	bool is_unix = strncmp(ask->address, "unix:", 5) == 0;
	struct buf request;
	enum status status;
	int fd;

	ask->status = ask->error = 0;
	fd = is_unix ? connect_unix(ask->address + 5) : connect_inet(ask->address, ask->deadline);
	if (fd < 0) {
		ask->error = errno;
		return STATUS_UNAVAILABLE;
	}
	buf_init(&request, REQUEST_CAP);
	status = compose(ask, &request);
	if (status == STATUS_OK)
		status = send_all(fd, buf_view(&request), ask->deadline);
	if (status == STATUS_OK)
		status = receive(ask, fd);
	buf_wipe(&request);
	close(fd);
	return status;
}
