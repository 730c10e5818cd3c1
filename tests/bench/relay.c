/*
 * The bare relay, the limit of Banter's design: the same pool of synchronous FastCGI processes
 * behind the same web server, and of its work only what nobody can leave out: ppoll, recv, a search
 * for the content, a write and a flush. No database, no JSON, no libcurl, no time-out. It knows the
 * bench model's chunks alone, and its lines are those of the headless API.
 *
 *	relay SOCKET MODEL_PORT WORKERS
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay_pool.h"

#define CONTENT "\"content\":\""

static uint16_t model_port; /* on loopback, in network order */
static struct relay {
	FCGI_FILE flush;
	int fd; /* the model's, kept; -1: none */
	size_t in_n, text_n;
	char in[2 * RELAY_READ], text[RELAY_READ], question[RELAY_READ], out[2 * RELAY_READ];
} relay = { .fd = -1 };

static bool ask(FCGX_Request *request)
{
	struct sockaddr_in model = { .sin_family = AF_INET, .sin_port = model_port };
	int n = FCGX_GetStr(relay.question, RELAY_READ, request->in);

	model.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (relay.fd < 0) {
		relay.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(relay.fd, (struct sockaddr *)&model, sizeof(model)))
			return false;
	}
	n = snprintf(relay.out, sizeof(relay.out),
		     "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" RELAY_BODY,
		     n + (int)sizeof(RELAY_BODY) - 5, n, relay.question);
	return send(relay.fd, relay.out, (size_t)n, MSG_NOSIGNAL) == n;
}

/* A line of the model's. True: it is the end of the chunked coding. */
static bool take_line(const char *line, size_t n)
{
	const char *from, *to;
	size_t length;

	if (n < 6 || memcmp(line, "data: ", 6) != 0)
		return n == 2 && *line == '0';
	from = memmem(line, n, CONTENT, sizeof(CONTENT) - 1);
	from = from ? from + sizeof(CONTENT) - 1 : line + n;
	to = memchr(from, '"', (size_t)(line + n - from));
	length = to ? (size_t)(to - from) : 0;
	if (!length || relay.text_n + length > RELAY_READ)
		return false;
	memcpy(relay.text + relay.text_n, from, length);
	relay.text_n += length;
	FCGX_PutStr("{\"type\":\"token\",\"token\":\"", 25, relay.flush.fcgx_stream);
	FCGX_PutStr(from, (int)length, relay.flush.fcgx_stream);
	FCGX_PutStr("\"}\n", 3, relay.flush.fcgx_stream);
	return false;
}

/* Until the answer's end; what comes together is flushed together. False: somebody is gone. */
static bool pass_on(FCGX_Request *request)
{
	struct pollfd fds[] = { { .fd = relay.fd, .events = POLLIN },
				{ .fd = request->ipcFd, .events = POLLRDHUP } };
	const char *p = relay.in, *feed;
	bool ended = false;
	ssize_t n;

	for (relay.in_n = relay.text_n = 0; !ended; p = relay.in) {
		if (FCGI_fflush(&relay.flush) < 0 || ppoll(fds, 2, NULL, NULL) <= 0 ||
		    fds[1].revents ||
		    (n = recv(relay.fd, relay.in + relay.in_n, RELAY_READ, 0)) <= 0)
			return false;
		relay.in_n += (size_t)n;
		for (; (feed = memchr(p, '\n', relay.in_n)); p = feed + 1) {
			ended = take_line(p, (size_t)(feed - p)) || ended;
			relay.in_n -= (size_t)(feed + 1 - p);
		}
		memmove(relay.in, p, relay.in_n);
	}
	return true;
}

static void serve(FCGX_Request *request)
{
	relay.flush = (FCGI_FILE){ .fcgx_stream = request->out };
	if (ask(request) && pass_on(request)) {
		FCGX_FPrintF(request->out, RELAY_DONE, (int)relay.text_n, relay.text);
	} else {
		close(relay.fd);
		relay.fd = -1;
	}
}

static void begin(void)
{
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 1;
	model_port = htons((uint16_t)atoi(argv[2]));
	return relay_pool(argv[1], atoi(argv[3]), begin, serve);
}
