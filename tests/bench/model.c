/*
 * A model that costs as little as it can, for measuring what stands before it: one thread, one
 * write for each token (or for each burst), paced on an absolute schedule, and the time of sending
 * in every token. It knows nothing but "bench tokens=N gap_us=N burst=N" in the last message; the
 * stand-in for tests is tests/model.
 *
 *	model [ADDRESS]	on a free port of it, or of 127.0.0.1; it prints which
 */
#include "model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define TALKS 8192
#define EVENTS 256

struct server {
	int listen_fd, epoll;
	uint64_t requests;
	unsigned used; /* no talk in use lies behind this one */
	/* Beside the talks, for one quick pass over all that could be due. */
	int64_t due[TALKS];
	struct talk *talks[TALKS];
	bool watches_room[TALKS]; /* EPOLLOUT is on */
};

static int listen_on(const char *place)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || inet_pton(AF_INET, place, &address.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&address, &size)) {
		fprintf(stderr, "model: cannot listen: %s\n", strerror(errno));
		exit(1);
	}
	printf("listening on http://%s:%u\n", place, ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void watch(struct server *server, unsigned place, int how)
{
	struct talk *talk = server->talks[place];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = place };

	if (talk->blocked)
		event.events |= EPOLLOUT;
	server->watches_room[place] = talk->blocked;
	epoll_ctl(server->epoll, how, talk->fd, &event);
}

static void accept_all(struct server *server)
{
	unsigned place;
	int fd, on = 1;

	while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		for (place = 0; place < TALKS; place++)
			if (!server->talks[place] || server->talks[place]->fd < 0)
				break;
		if (place < TALKS && !server->talks[place])
			server->talks[place] = calloc(1, sizeof(*server->talks[place]));
		if (place == TALKS || !server->talks[place]) {
			fputs("model: too many connections\n", stderr);
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		talk_begin(server->talks[place], fd);
		server->due[place] = BENCH_NEVER;
		if (place >= server->used)
			server->used = place + 1;
		watch(server, place, EPOLL_CTL_ADD);
	}
}

/* After anything was done with a talk. */
static void settle(struct server *server, unsigned place, bool good)
{
	struct talk *talk = server->talks[place];

	if (!good) {
		close(talk->fd);
		talk->fd = -1;
		server->due[place] = BENCH_NEVER;
		return;
	}
	if (talk->blocked != server->watches_room[place])
		watch(server, place, EPOLL_CTL_MOD);
	server->due[place] = talk_due(talk);
}

static void take_event(struct server *server, const struct epoll_event *event)
{
	unsigned place = event->data.u32;
	struct talk *talk;

	if (place == TALKS) {
		accept_all(server);
		return;
	}
	talk = server->talks[place];
	if (talk->fd >= 0 && event->events & EPOLLOUT)
		settle(server, place, talk_write(talk));
	if (talk->fd >= 0 && event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		settle(server, place, talk_read(talk, &server->requests));
}

/* One write for each stream that is due, in turn; then whoever has something to say is heard. */
static int64_t step_all(struct server *server)
{
	int64_t now = bench_now(), next = BENCH_NEVER;
	unsigned place;

	for (place = 0; place < server->used; place++) {
		if (server->due[place] <= now)
			settle(server, place, talk_step(server->talks[place]));
		if (server->due[place] < next)
			next = server->due[place];
	}
	return next;
}

int main(int argc, char **argv)
{
	struct server *server = calloc(1, sizeof(*server));
	struct epoll_event events[EVENTS], listening = { .events = EPOLLIN, .data.u32 = TALKS };
	struct timespec left;
	int64_t next;
	int i, n;

	if (!server)
		return 1;
	server->listen_fd = listen_on(argc > 1 ? argv[1] : "127.0.0.1");
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listen_fd, &listening);
	for (;;) {
		next = step_all(server);
		left = bench_until(next, bench_now());
		n = epoll_pwait2(server->epoll, events, EVENTS, next == BENCH_NEVER ? NULL : &left,
				 NULL);
		for (i = 0; i < n; i++)
			take_event(server, &events[i]);
	}
}
