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
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#define NO_FCGI_DEFINES
#include <fcgi_stdio.h>

#define READ 16384 /* bytes of the model at once, as libcurl reads */
#define ID "01m7y2k3e92365hdc9rnkwb6t8"
#define CONTENT "\"content\":\""
/* clang-format off */
#define HEAD "Status: 200 OK\r\nContent-Type: application/x-ndjson\r\nX-Request-Id: " ID "\r\n" \
	"Cache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff" \
	"\r\nReferrer-Policy: no-referrer\r\n\r\n{\"type\":\"start\",\"conversationId\":\"" ID "\"}\n"
/* clang-format on */
#define DONE "{\"type\":\"done\",\"message\":\"%.*s\",\"conversationId\":\"" ID "\"}\n"
#define BODY "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"messages\":[%.*s]}"

struct relay {
	FCGX_Request request;
	FCGI_FILE flush;
	uint16_t port; /* of the model, on loopback, in network order */
	int fd;	       /* the model's, kept; -1: none */
	size_t in_n, text_n;
	char in[2 * READ], text[READ], question[READ], out[2 * READ];
};

/* The question goes on as it came: the bench model looks for its wish in any body. */
static bool ask(struct relay *relay)
{
	struct sockaddr_in model = { .sin_family = AF_INET, .sin_port = relay->port };
	int n = FCGX_GetStr(relay->question, READ, relay->request.in);

	model.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (relay->fd < 0) {
		relay->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(relay->fd, (struct sockaddr *)&model, sizeof(model)))
			return false;
	}
	n = snprintf(relay->out, sizeof(relay->out),
		     "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" BODY,
		     n + (int)sizeof(BODY) - 5, n, relay->question);
	return send(relay->fd, relay->out, (size_t)n, MSG_NOSIGNAL) == n;
}

/* A line of the model's. True: it is the end of the chunked coding. */
static bool take_line(struct relay *relay, const char *line, size_t n)
{
	const char *from, *to;
	size_t length;

	if (n < 6 || memcmp(line, "data: ", 6) != 0)
		return n == 2 && *line == '0';
	from = memmem(line, n, CONTENT, sizeof(CONTENT) - 1);
	from = from ? from + sizeof(CONTENT) - 1 : line + n;
	to = memchr(from, '"', (size_t)(line + n - from));
	length = to ? (size_t)(to - from) : 0;
	if (!length || relay->text_n + length > READ)
		return false;
	memcpy(relay->text + relay->text_n, from, length);
	relay->text_n += length;
	FCGX_PutStr("{\"type\":\"token\",\"token\":\"", 25, relay->request.out);
	FCGX_PutStr(from, (int)length, relay->request.out);
	FCGX_PutStr("\"}\n", 3, relay->request.out);
	return false;
}

/* Until the answer's end; what comes together is flushed together. False: somebody is gone. */
static bool pass_on(struct relay *relay)
{
	struct pollfd fds[] = { { .fd = relay->fd, .events = POLLIN },
				{ .fd = relay->request.ipcFd, .events = POLLRDHUP } };
	const char *p = relay->in, *feed;
	bool ended = false;
	ssize_t n;

	for (relay->in_n = relay->text_n = 0; !ended; p = relay->in) {
		if (FCGI_fflush(&relay->flush) < 0 || ppoll(fds, 2, NULL, NULL) <= 0 ||
		    fds[1].revents || (n = recv(relay->fd, relay->in + relay->in_n, READ, 0)) <= 0)
			return false;
		relay->in_n += (size_t)n;
		for (; (feed = memchr(p, '\n', relay->in_n)); p = feed + 1) {
			ended = take_line(relay, p, (size_t)(feed - p)) || ended;
			relay->in_n -= (size_t)(feed + 1 - p);
		}
		memmove(relay->in, p, relay->in_n);
	}
	return true;
}

static void serve(struct relay *relay)
{
	relay->request.keepConnection = 0;
	relay->flush = (FCGI_FILE){ .fcgx_stream = relay->request.out };
	FCGX_PutStr(HEAD, sizeof(HEAD) - 1, relay->request.out);
	if (ask(relay) && pass_on(relay)) {
		FCGX_FPrintF(relay->request.out, DONE, (int)relay->text_n, relay->text);
	} else {
		close(relay->fd);
		relay->fd = -1;
	}
	FCGX_Finish_r(&relay->request);
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct relay *relay = calloc(1, sizeof(*relay));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
	    left = argc == 4 ? atoi(argv[3]) : 0;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", argc == 4 ? argv[1] : "");
	if (!relay || left < 1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4096))
		return 1;
	while (left && fork())
		left--;
	if (!left)
		return wait(NULL) > 0; /* none of them ends by itself */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	relay->fd = -1;
	relay->port = htons((uint16_t)atoi(argv[2]));
	FCGX_Init();
	signal(SIGPIPE, SIG_IGN);
	FCGX_InitRequest(&relay->request, -1, 0);
	/* As Banter's workers: libfcgi has each connection as a kept one, for one request. */
	while ((relay->request.ipcFd = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		relay->request.keepConnection = 1;
		if (FCGX_Accept_r(&relay->request) == 0)
			serve(relay);
	}
	return 1;
}
