/* HTTP as far as the three targets speak it: a head, a chunked body, the next exchange. */
#include "client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

void client_init(struct client *client, struct run *run, unsigned number)
{
	client->run = run;
	client->number = number;
	client->left = run->exchanges;
	client->fd = -1;
	client->begun = false;
	client->phase = CLIENT_IDLE;
}

static void end_client(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->phase = CLIENT_OVER;
}

static void fail(struct client *client, const char *fault)
{
	struct run *run = client->run;

	if (!run->fault) {
		run->fault = fault;
		snprintf(run->fault_head, sizeof(run->fault_head), "%.*s",
			 client->phase == CLIENT_HEAD ? (int)client->head_n : 0, client->head);
	}
	end_client(client);
}

static void begin(struct client *client)
{
	client->run->begun += !client->begun;
	client->begun = true;
}

/* The client's exchanges that are left are not tried: one answer is one figure. */
static void refuse(struct client *client)
{
	client->run->refused += client->left;
	begin(client);
	end_client(client);
}

static void watch(struct client *client, int epoll, int how, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	epoll_ctl(epoll, how, client->fd, &event);
}

static size_t make_request(struct client *client)
{
	const struct run *run = client->run;
	char wish[64], body[512], key[256] = "";
	const char *path = "/v1/chat/completions";
	int n;

	snprintf(wish, sizeof(wish), BENCH_WISH, run->tokens, run->gap_us, run->burst);
	if (run->api == ANSWER_HEADLESS) {
		path = "/v1/chat/stream";
		snprintf(key, sizeof(key), "x-api-key: %s\r\n",
			 run->keys[client->number % run->key_count]);
		n = snprintf(body, sizeof(body),
			     "{\"sessionId\":\"b%" PRId64 "-%u-%u\",\"message\":\"%s\"}",
			     bench_now(), client->number, client->left, wish);
	} else {
		n = snprintf(body, sizeof(body),
			     "{\"model\":\"bench\",\"stream\":true,\"stream_options\":{\"include_"
			     "usage\":true},"
			     "\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}",
			     wish);
	}
	return (size_t)snprintf(client->out, sizeof(client->out),
				"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s"
				"Content-Type: application/json\r\n"
				"Content-Length: %d\r\n\r\n%s",
				path, key, n, body);
}

/* The request is short and the connection idle: what does not go at once is a fault. */
static void begin_exchange(struct client *client)
{
	size_t n;

	n = make_request(client);
	client->phase = CLIENT_HEAD;
	client->head_n = 0;
	answer_begin(&client->answer, client->run->api, client->run->tokens, &client->run->token);
	client->sent_at = bench_now();
	if (send(client->fd, client->out, n, MSG_NOSIGNAL) != (ssize_t)n)
		fail(client, "the request could not be sent");
}

void client_start(struct client *client, int epoll)
{
	int on = 1;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0) {
		fail(client, "no socket");
		return;
	}
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	client->phase = CLIENT_CONNECT;
	if (connect(client->fd, (struct sockaddr *)&client->run->to, sizeof(client->run->to)) &&
	    errno != EINPROGRESS) {
		fail(client, "the connection was refused");
		return;
	}
	watch(client, epoll, EPOLL_CTL_ADD, EPOLLOUT);
}

static void end_exchange(struct client *client, int64_t now)
{
	struct run *run = client->run;

	if (!answer_end(&client->answer)) {
		fail(client, client->answer.fault);
		return;
	}
	run->all_tokens += client->answer.seen;
	run->all_exchanges++;
	histogram_add(&run->first, client->answer.first_at - client->sent_at);
	histogram_add(&run->exchange, now - client->sent_at);
	if (--client->left)
		begin_exchange(client);
	else
		end_client(client);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of the coding itself. False: that is no chunked coding. */
static bool take_coding(struct client *client, char c)
{
	switch (client->chunk) {
	case CHUNK_SIZE:
		if (c == '\r') {
			client->chunk = CHUNK_SIZE_LF;
			return true;
		}
		client->chunk_left = client->chunk_left * 16 + (size_t)hex(c);
		return hex(c) >= 0 && client->chunk_left < 1u << 30;
	case CHUNK_SIZE_LF:
		client->chunk = client->chunk_left ? CHUNK_DATA : CHUNK_TRAILER;
		client->trailer_n = 0;
		return c == '\n';
	case CHUNK_DATA_END:
		if (c == '\n')
			client->chunk = CHUNK_SIZE;
		return c == '\r' || c == '\n';
	case CHUNK_TRAILER: /* none of the targets sends one: only its empty line comes */
		return c == "\r\n"[client->trailer_n++];
	case CHUNK_DATA:
		break;
	}
	return false;
}

static void take_body(struct client *client, const char *p, size_t n, int64_t now)
{
	const char *end = p + n;
	size_t part;

	while (p < end) {
		if (client->chunk != CHUNK_DATA) {
			if (!take_coding(client, *p++)) {
				fail(client, "the body's coding is broken");
				return;
			}
			if (client->chunk == CHUNK_TRAILER && client->trailer_n == 2) {
				if (p < end)
					fail(client, "bytes behind the answer's end");
				else
					end_exchange(client, now);
				return;
			}
			continue;
		}
		part = (size_t)(end - p) < client->chunk_left ? (size_t)(end - p)
							      : client->chunk_left;
		if (!answer_feed(&client->answer, p, part, now)) {
			fail(client, client->answer.fault);
			return;
		}
		if (client->answer.first_at)
			begin(client);
		p += part;
		client->chunk_left -= part;
		if (!client->chunk_left)
			client->chunk = CHUNK_DATA_END;
	}
}

/* Gathers the head; what lies behind it is the body's. */
static void take_head(struct client *client, const char *p, size_t n, int64_t now)
{
	size_t before = client->head_n, room = sizeof(client->head) - before - 1, length;
	char *blank;

	if (n > room) {
		memcpy(client->head + before, p, room);
		client->head_n += room;
	} else {
		memcpy(client->head + before, p, n);
		client->head_n += n;
	}
	client->head[client->head_n] = '\0';
	blank = strstr(client->head, "\r\n\r\n");
	if (!blank) {
		if (n >= room)
			fail(client, "the answer's head is too long");
		return;
	}
	length = (size_t)(blank - client->head) + 4;
	blank[2] = '\0';
	if (strncmp(client->head, "HTTP/1.1 200 ", 13) != 0 ||
	    !strcasestr(client->head, "\r\ntransfer-encoding: chunked\r\n")) {
		if (client->run->may_refuse)
			refuse(client);
		else
			fail(client, "an answer that is no stream");
		return;
	}
	client->phase = CLIENT_BODY;
	client->chunk = CHUNK_SIZE;
	client->chunk_left = 0;
	take_body(client, p + (length - before), n - (length - before), now);
}

static void read_some(struct client *client)
{
	char bytes[65536];
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), 0);
	int64_t now = bench_now();

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	client->run->reads++;
	if (n <= 0)
		fail(client, "the connection was cut");
	else if (client->phase == CLIENT_HEAD)
		take_head(client, bytes, (size_t)n, now);
	else
		take_body(client, bytes, (size_t)n, now);
}

/* A connection that failed shows when the request is sent. */
static void begin_first(struct client *client, int epoll)
{
	watch(client, epoll, EPOLL_CTL_MOD, EPOLLIN);
	begin_exchange(client);
}

void client_ready(struct client *client, int epoll)
{
	if (client->phase == CLIENT_CONNECT)
		begin_first(client, epoll);
	else if (client->phase == CLIENT_HEAD || client->phase == CLIENT_BODY)
		read_some(client);
}
