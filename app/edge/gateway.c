/*
 * All of libfcgi.  We accept ourselves and hand libfcgi the descriptor: its own accept loses
 * signals and never times out.  For binding see listen.c.
 */
#include "edge/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_FCGI_DEFINES
#include <fcgi_stdio.h>

#include "base/bell.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/hot.h"
#include "base/log.h"
#include "edge/silent.h"
#include "edge/wait_slots.h"

/* A body beyond our cap is read on and dropped, so that the web server gets to read our answer;
 * this much of it, then we close. */
#define DROP_MAX (8 << 20)
#define KEPT_IDLE_MS 60000
#define WORD_MS 20 /* a web server sends what it has at once */
#define PIECE 8192 /* of what is written at once: libfcgi's buffer */

/* What the epoll says is ready. */
enum { FROM_LISTEN = 1, FROM_QUEUE = 2, FROM_BELL = 4, FROM_SILENT = 8 };

struct gateway {
	FCGX_Request request;
	FCGI_FILE out; /* laid over the request's own stream, for FCGI_fflush() */
	int listen_fd;
	struct queue *queue;  /* NULL: none */
	struct queue *silent; /* NULL: who is silent is waited for */
	int bell;	      /* if it is watched */
	const _Atomic bool *closing;
	int epoll;
	bool keep;
	struct wait *wait;     /* of the request */
	struct stage *stage;   /* of the one who waits for it */
	bool whole;	       /* the request has been read to its end */
	int64_t since, waited; /* see gateway_since(), gateway_waited() */
	bool tcp;	       /* else a unix socket */
	bool waits;	       /* on a connection's reads and writes */
	int64_t read_ms, write_ms;
};

static bool is_tcp(int fd)
{
	int domain = AF_UNSPEC;
	socklen_t n = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) && domain != AF_UNIX;
}

static enum status watch(struct gateway *gateway, int fd, uint32_t what)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.u32 = what };

	if (gateway->epoll >= 0 && epoll_ctl(gateway->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return STATUS_OK;
	log_error("cannot watch the listening socket: %s", strerror(errno));
	return STATUS_FAILED;
}

enum status gateway_new(int listen_fd, bool keep, int64_t read_ms, int64_t write_ms,
			struct gateway **out)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	bool failed;

	if (!gateway)
		return STATUS_NOMEM;
	gateway->listen_fd = listen_fd;
	gateway->keep = keep;
	gateway->tcp = is_tcp(listen_fd);
	gateway->waits = read_ms > 0;
	gateway->read_ms = read_ms;
	gateway->write_ms = write_ms;
	gateway->epoll = epoll_create1(EPOLL_CLOEXEC);
	failed = fcntl(listen_fd, F_SETFL, O_NONBLOCK) || watch(gateway, listen_fd, FROM_LISTEN) ||
		 FCGX_Init() || FCGX_InitRequest(&gateway->request, -1, 0);
	gateway->request.ipcFd = -1; /* what FCGX_Free() closes */
	if (failed) {
		gateway_free(gateway);
		return STATUS_FAILED;
	}
	signal(SIGPIPE, SIG_IGN); /* FCGX_Init() installs handlers of its own */
	*out = gateway;
	return STATUS_OK;
}

void gateway_free(struct gateway *gateway)
{
	if (!gateway)
		return;
	FCGX_Free(&gateway->request, 1);
	if (gateway->epoll >= 0)
		close(gateway->epoll);
	free(gateway);
}

void gateway_leave(struct gateway *gateway)
{
	if (!gateway->closing || !atomic_load(gateway->closing))
		gateway->queue = NULL;
	gateway->silent = NULL;
	gateway->listen_fd = -1;
	close(gateway->epoll);
	gateway->epoll = -1;
}

static enum status watch_queue(struct gateway *gateway, const struct queue *queue, uint32_t what)
{
	enum status status = STATUS_OK;
	int lane;

	for (lane = 0; lane < QUEUE_LANES && status == STATUS_OK; lane++)
		status = watch(gateway, queue_fd(queue, lane), what);
	return status;
}

enum status gateway_join(struct gateway *gateway, struct queue *queue, const _Atomic bool *closing)
{
	enum status status = watch_queue(gateway, queue, FROM_QUEUE);

	if (status == STATUS_OK)
		gateway->queue = queue;
	gateway->closing = closing;
	return status;
}

void gateway_shun(struct gateway *gateway, struct queue *silent)
{
	gateway->silent = silent;
}

/*
 * Nobody is there. Where the master has had the socket refuse all (pool/listener), we are told to end;
 * but it is ready for ever then, and were it still watched, no signal would come through.
 */
static enum status see_nobody(struct gateway *gateway)
{
	struct pollfd look = { .fd = gateway->listen_fd, .events = POLLIN };

	if (poll(&look, 1, 0) <= 0 || !(look.revents & POLLHUP))
		return STATUS_CLOSED;
	if (!gateway->keep &&
	    epoll_ctl(gateway->epoll, EPOLL_CTL_DEL, gateway->listen_fd, NULL) == 0)
		return STATUS_CLOSED;
	log_error("the listening socket does not listen any more");
	return STATUS_FAILED;
}

enum status gateway_take(struct gateway *gateway, int *out)
{
	int fd = accept4(gateway->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		*out = fd;
		return STATUS_OK;
	}
	switch (errno) {
	case EAGAIN:
	case EINVAL:
		return see_nobody(gateway);
	case EINTR:
	case ECONNABORTED:
		return STATUS_CLOSED;
	case EMFILE:
		log_error("cannot accept a connection: %s", strerror(errno));
		return STATUS_NOMEM;
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		/* The machine's want passes; the connection waits in the backlog meanwhile. */
		log_error("cannot accept a connection: %s", strerror(errno));
		usleep(100000);
		return STATUS_CLOSED;
	default:
		log_error("the listening socket failed: %s", strerror(errno));
		return STATUS_FAILED;
	}
}

/* The connection is to be the next request's. */
static void adopt(struct gateway *gateway, int fd)
{
	int on = 1;

	gateway->request.ipcFd = fd;
	if (gateway->tcp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (gateway->waits)
		return;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	/*
	 * Else libfcgi's close waits for the other side's, and its select bears no descriptor above
	 * 1023.
	 */
	FCGX_Detach(&gateway->request);
}

/* One of the queue, or (since 0) one that came to us at once. */
static void adopt_entry(struct gateway *gateway, const struct queue_entry *entry)
{
	adopt(gateway, entry->fd);
	gateway->since = entry->since ? entry->since : clock_ms();
	gateway->waited = entry->since ? clock_ms() - entry->since + 1 : 0;
}

/* STATUS_CLOSED: nobody said a word on it, and it is not ours any more. */
static enum status hear(struct gateway *gateway, struct wait *wait, const struct queue_entry *entry)
{
	enum status said = silent_look(entry->fd);

	if (said == STATUS_TIMEOUT && gateway->silent) {
		wait_client(wait, WAIT_CLIENT, -1);
		wait_watch(wait, WAIT_CLIENT, entry->fd, POLLIN);
		if (wait_some(wait, clock_ms() + WORD_MS) != STATUS_TIMEOUT)
			said = silent_look(entry->fd); /* whatever else ended the wait */
		wait_client(wait, WAIT_CLIENT, -1);
	}
	/* Once all end nobody is there to hold it; told to stop, we hand over nobody (gateway_leave()). */
	if (said == STATUS_TIMEOUT && gateway->silent && !atomic_load(gateway->closing) &&
	    queue_put(gateway->silent, entry) == STATUS_OK)
		return STATUS_CLOSED;
	if (said == STATUS_CLOSED)
		close(entry->fd);
	return said == STATUS_CLOSED ? said : STATUS_OK;
}

/*
 * A connection whose waking was ours, and nobody else's, but which we do not take: into the queue,
 * where it wakes another. Where nobody is left to wake, the backlog keeps it.
 */
static void pass_on(struct gateway *gateway)
{
	struct queue_entry entry = { .fd = -1, .since = clock_ms() };

	if (gateway->queue && !atomic_load(gateway->closing) &&
	    gateway_take(gateway, &entry.fd) == STATUS_OK && queue_put(gateway->queue, &entry))
		close(entry.fd);
}

/* All workers end, and nobody else will serve those who were let in before. */
static enum status take_last(struct gateway *gateway, struct wait *wait)
{
	struct queue_entry entry;
	enum status status;

	if (!gateway->queue || !atomic_load(gateway->closing) || *wait->stop != WAIT_DRAIN ||
	    clock_ms() >= wait->stop_at)
		return STATUS_STOPPED;
	status = queue_take(gateway->queue, &entry);
	if (status)
		return status == STATUS_CLOSED ? STATUS_STOPPED : status;
	adopt_entry(gateway, &entry);
	return STATUS_OK;
}

/* A connection: who waits in the queue comes first. STATUS_CLOSED if another worker took it. */
static enum status take_connection(struct gateway *gateway, struct wait *wait)
{
	struct queue_entry entry = { .fd = -1 };
	enum status status;

	if (gateway->epoll < 0)
		return take_last(gateway, wait);
	status = wait_epoll(wait, gateway->epoll, CLOCK_NEVER);
	if (status == STATUS_STOPPED) {
		pass_on(gateway);
		return take_last(gateway, wait);
	}
	if (status)
		return status;
	status = STATUS_CLOSED;
	if (wait->ready & FROM_QUEUE)
		status = queue_take(gateway->queue, &entry);
	if (status == STATUS_CLOSED && (wait->ready & FROM_LISTEN)) {
		status = gateway_take(gateway, &entry.fd);
	} else if (status == STATUS_OK && (wait->ready & FROM_LISTEN)) {
		pass_on(gateway);
	}
	if (status == STATUS_OK)
		status = hear(gateway, wait, &entry);
	if (status == STATUS_OK)
		adopt_entry(gateway, &entry);
	return status;
}

/* The web server kept the connection: wait for its next request, or for its end. */
static enum status await_kept(struct gateway *gateway, struct wait *wait)
{
	enum status status;

	wait_client(wait, WAIT_CLIENT, -1);
	wait_watch(wait, WAIT_CLIENT, gateway->request.ipcFd, POLLIN);
	status = wait_some(wait, clock_ms() + KEPT_IDLE_MS);
	if (wait->stop && *wait->stop)
		status = STATUS_STOPPED;
	else if (status == STATUS_OK && !(wait->fds[WAIT_CLIENT].revents & POLLIN))
		status = STATUS_CLOSED;
	wait_client(wait, WAIT_CLIENT, -1);
	gateway->since = clock_ms();
	gateway->waited = 0;
	if (status)
		FCGX_Free(&gateway->request, 1);
	return status == STATUS_TIMEOUT ? STATUS_CLOSED : status;
}

/* What libfcgi reads, or writes, from here on has its time. */
static void begin_reading(struct gateway *gateway)
{
	if (gateway->waits)
		guard_begin(SHUT_RD, gateway->read_ms);
}

/* Shut both ways, libfcgi does not wait for it at the end either. */
static HOT void begin_writing(struct gateway *gateway)
{
	if (gateway->waits)
		guard_begin(SHUT_RDWR, gateway->write_ms);
}

static enum status end_blocking(struct gateway *gateway)
{
	return gateway->waits ? guard_end() : STATUS_OK;
}

/* The connection brought nothing to answer. */
static enum status drop_request(struct gateway *gateway)
{
	guard_close();
	FCGX_Free(&gateway->request, 1);
	return STATUS_CLOSED;
}

/* Reads the next request of the connection we have. */
static enum status open_request(struct gateway *gateway, struct wait *wait)
{
	FCGX_Request *request = &gateway->request;
	enum status status;
	int failed;

	gateway->wait = wait;
	gateway->stage = wait->stage;
	stage_set(wait->stage, STAGE_REQUEST);
	/* With these two, FCGX_Accept_r() takes the descriptor as a kept connection. */
	request->listen_sock = -1;
	request->keepConnection = 1;
	/* Parameters that were cut short look like all of them, but for the stream's error. */
	if (gateway->waits)
		guard_open(wait, request->ipcFd);
	begin_reading(gateway);
	failed = FCGX_Accept_r(request);
	status = end_blocking(gateway);
	if (failed || status || FCGX_GetError(request->in))
		return drop_request(gateway);
	if (!gateway->keep)
		request->keepConnection = 0;
	gateway->whole = false;
	gateway->out = (FCGI_FILE){ .fcgx_stream = request->out };
	wait_client(wait, WAIT_CLIENT, request->ipcFd);
	return STATUS_OK;
}

enum status gateway_accept(struct gateway *gateway, struct wait *wait)
{
	enum status status;

	if (gateway->request.ipcFd >= 0)
		status = await_kept(gateway, wait);
	else
		status = take_connection(gateway, wait);
	return status ? status : open_request(gateway, wait);
}

enum status gateway_open(struct gateway *gateway, struct wait *wait, int fd)
{
	adopt(gateway, fd);
	return open_request(gateway, wait);
}

enum status gateway_watch(struct gateway *gateway, struct wait *wait, int64_t deadline)
{
	enum status status = wait_epoll(wait, gateway->epoll, deadline);

	if (status == STATUS_OK && (wait->ready & FROM_BELL))
		bell_heard(gateway->bell);
	return status == STATUS_OK && wait->ready == FROM_SILENT ? STATUS_CLOSED : status;
}

enum status gateway_admit(struct gateway *gateway, struct queue *silent)
{
	return watch_queue(gateway, silent, FROM_SILENT);
}

enum status gateway_heed(struct gateway *gateway, int bell)
{
	gateway->bell = bell;
	return watch(gateway, bell, FROM_BELL);
}

enum status gateway_stand_back(struct gateway *gateway)
{
	epoll_ctl(gateway->epoll, EPOLL_CTL_DEL, gateway->listen_fd, NULL);
	return watch(gateway, gateway->listen_fd, FROM_LISTEN);
}

int64_t gateway_since(const struct gateway *gateway)
{
	return gateway->since;
}

int64_t gateway_waited(const struct gateway *gateway)
{
	return gateway->waited;
}

struct str gateway_param(const struct gateway *gateway, const char *name)
{
	return str_from(FCGX_GetParam(name, gateway->request.envp));
}

struct str gateway_only_param(const struct gateway *gateway, const char *name)
{
	struct str only = STR_NONE, key = str_from(name);
	char **at;

	for (at = gateway->request.envp; *at; at++) {
		if (!str_starts(str_from(*at), key) || (*at)[key.n] != '=')
			continue;
		if (only.p)
			return STR_NONE;
		only = str_from(*at + key.n + 1);
	}
	return only;
}

/* CONTENT_LENGTH, or -1 where the body's end tells (chunked; Caddy then says "-1"). */
static int64_t announced_length(const struct gateway *gateway)
{
	int64_t n = -1;

	return str_number(gateway_param(gateway, "CONTENT_LENGTH"), 10, &n) ? n : -1;
}

/*
 * One wait for more, then all that lies in libfcgi's buffer: FCGX_GetStr() alone would wait until
 * `most` are there.
 */
static int read_some(FCGX_Stream *in, char *out, int most)
{
	int first = FCGX_GetChar(in), n;

	if (first == EOF)
		return 0;
	*out = (char)first;
	n = (int)(in->stop - in->rdNext);
	return 1 + FCGX_GetStr(out + 1, n < most - 1 ? n : most - 1, in);
}

enum status gateway_read(struct gateway *gateway, struct buf *out)
{
	int64_t announced = announced_length(gateway), total = 0;
	enum status status;
	char chunk[8192];
	int n;

	begin_reading(gateway);
	while ((n = read_some(gateway->request.in, chunk, sizeof(chunk))) > 0) {
		total += n;
		buf_append(out, chunk, (size_t)n);
		if (total >= DROP_MAX)
			break;
	}
	status = end_blocking(gateway);
	if (status) { /* to the kernel it looks as if the client had left */
		wait_client(gateway->wait, WAIT_CLIENT, -1);
		return status == STATUS_STOPPED ? status : STATUS_INVALID;
	}
	if (FCGX_GetError(gateway->request.in))
		return STATUS_INVALID;
	gateway->whole = n <= 0;
	if (buf_check(out))
		return total > (int64_t)out->cap ? STATUS_INVALID : STATUS_NOMEM;
	return announced >= 0 && total < announced ? STATUS_INVALID : STATUS_OK;
}

/* In pieces: each that a slow client takes is a step, and has a write's time. */
static HOT bool put(struct gateway *gateway, struct str bytes)
{
	size_t n;

	do {
		n = bytes.n < PIECE ? bytes.n : PIECE;
		begin_writing(gateway);
		if (FCGX_PutStr(bytes.p, (int)n, gateway->request.out) < 0)
			return false;
		bytes = str_skip(bytes, n);
		if (bytes.n)
			stage_step(gateway->stage);
	} while (bytes.n);
	return true;
}

static HOT enum status end_writing(struct gateway *gateway, bool written)
{
	enum status status = end_blocking(gateway);

	if (status == STATUS_STOPPED)
		return status;
	return written && !status ? STATUS_OK : STATUS_CLOSED;
}

HOT enum status gateway_write(struct gateway *gateway, struct str bytes)
{
	return end_writing(gateway, put(gateway, bytes) && FCGI_fflush(&gateway->out) >= 0);
}

enum status gateway_end(struct gateway *gateway, struct str bytes)
{
	FCGX_Request *request = &gateway->request;

	/* The stream that is closed last says that the request has ended. */
	return end_writing(gateway, put(gateway, bytes) && FCGX_FClose(request->err) >= 0 &&
					    FCGX_FClose(request->out) >= 0);
}

void gateway_finish(struct gateway *gateway, struct wait *wait)
{
	FCGX_Request *request = &gateway->request;

	if (wait->stop && *wait->stop)
		request->keepConnection = 0;
	/*
	 * Else libfcgi's close waits for the other side's, lest what we have not read takes our
	 * last bytes with it. There is no such thing on a unix socket once all has been read.
	 */
	if (!gateway->tcp && FCGX_HasSeenEOF(request->in))
		FCGX_Detach(request);
	begin_writing(gateway);
	FCGX_Finish_r(request);
	guard_close();
	wait_client(wait, WAIT_CLIENT, -1);
}

int gateway_finish_early(struct gateway *gateway, struct wait *wait)
{
	int fd = -1;

	if (!gateway->whole)
		fd = fcntl(gateway->request.ipcFd, F_DUPFD_CLOEXEC, 0);
	gateway_finish(gateway, wait);
	return fd;
}
