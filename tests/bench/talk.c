/* Chunks carry every member that OpenAI's do, so that they cost a reader what those cost. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "bench.h"
#include "model.h"

#define EVENT_ROOM 2048
#define CHOICE "[{\"index\":0,\"delta\":%s,\"logprobs\":null,\"finish_reason\":%s}]"

/* What the socket does not take stays in talk->out. */
static bool put(struct talk *talk, const char *bytes, size_t n)
{
	ssize_t sent = 0;

	if (!talk->blocked) {
		sent = send(talk->fd, bytes, n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (sent < 0)
			sent = 0;
	}
	if ((size_t)sent == n)
		return true;
	talk->blocked = true;
	if (talk->out_n + n - (size_t)sent > sizeof(talk->out))
		return false;
	memmove(talk->out + talk->out_n, bytes + sent, n - (size_t)sent);
	talk->out_n += n - (size_t)sent;
	return true;
}

/* One event as one HTTP chunk; `last` also ends the body. */
static bool put_event(struct talk *talk, const char *event, size_t n, const char *last)
{
	char chunk[EVENT_ROOM + 64];
	int size = snprintf(chunk, sizeof(chunk), "%zx\r\n%.*s\r\n%s", n, (int)n, event, last);

	return put(talk, chunk, (size_t)size);
}

static bool put_chunk(struct talk *talk, const char *choices, const char *usage)
{
	char event[EVENT_ROOM];
	int n = snprintf(event, sizeof(event),
			 "data: {\"id\":\"chatcmpl-bench%020" PRIu64
			 "\",\"object\":\"chat.completion.chunk\","
			 "\"created\":1750000000,\"model\":\"bench\",\"service_tier\":\"default\","
			 "\"system_fingerprint\":\"fp_bench00000\",\"choices\":%s%s%s}\n\n",
			 talk->number, choices, talk->usage ? ",\"usage\":" : "",
			 talk->usage ? usage : "");

	return put_event(talk, event, (size_t)n, "");
}

static bool put_delta(struct talk *talk, const char *delta, const char *reason)
{
	char choices[256];

	snprintf(choices, sizeof(choices), CHOICE, delta, reason);
	return put_chunk(talk, choices, "null");
}

static bool put_head(struct talk *talk)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Type: text/event-stream; charset=utf-8\r\n"
				   "Cache-Control: no-cache\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";

	return put(talk, head, sizeof(head) - 1) &&
	       put_delta(talk, "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}",
			 "null");
}

static bool put_end(struct talk *talk)
{
	static const char done[] = "data: [DONE]\n\n";
	char usage[128];

	snprintf(usage, sizeof(usage),
		 "{\"prompt_tokens\":9,\"completion_tokens\":%u,\"total_tokens\":%u}", talk->tokens,
		 talk->tokens + 9);
	talk->running = false;
	return put_delta(talk, "{}", "\"stop\"") &&
	       (!talk->usage || put_chunk(talk, "[]", usage)) &&
	       put_event(talk, done, sizeof(done) - 1, "0\r\n\r\n");
}

static bool refuse(struct talk *talk)
{
	static const char answer[] =
		"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
		"Content-Length: 78\r\n\r\n"
		"{\"error\":{\"message\":\"no bench wish, or no stream\","
		"\"type\":\"bad_request_error\"}}";

	return put(talk, answer, sizeof(answer) - 1);
}

/* The last wish in the body counts: it stands in the new message, behind the history. */
static bool begin_answer(struct talk *talk, const char *body)
{
	const char *wish = NULL, *at = body;
	unsigned gap_us;

	talk->burst = 1;
	while ((at = strstr(at, "bench tokens=")))
		wish = at++;
	if (!wish || sscanf(wish, BENCH_WISH, &talk->tokens, &gap_us, &talk->burst) < 2 ||
	    !talk->burst || talk->burst > BENCH_BURST || !strstr(body, "\"stream\":true"))
		return refuse(talk);
	talk->usage = strstr(body, "\"include_usage\":true") != NULL;
	talk->gap = (int64_t)gap_us * 1000;
	talk->sent = 0;
	talk->running = true;
	if (!put_head(talk))
		return false;
	talk->began = bench_now();
	return true;
}

/* The length of the whole request at the front of talk->in, 0 while it is cut; *body lies in it. */
static size_t whole_request(struct talk *talk, const char **body)
{
	const char *head_end, *length;
	size_t n;

	talk->in[talk->in_n] = '\0';
	head_end = strstr(talk->in, "\r\n\r\n");
	if (!head_end)
		return 0;
	*body = head_end + 4;
	length = strcasestr(talk->in, "\r\ncontent-length:");
	n = (size_t)(*body - talk->in);
	if (length && length < head_end)
		n += strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
	return n <= talk->in_n ? n : 0;
}

void talk_begin(struct talk *talk, int fd)
{
	talk->fd = fd;
	talk->running = talk->blocked = false;
	talk->in_n = talk->out_n = 0;
}

bool talk_read(struct talk *talk, uint64_t *requests)
{
	size_t room = sizeof(talk->in) - 1 - talk->in_n, length;
	ssize_t n = recv(talk->fd, talk->in + talk->in_n, room, 0);
	const char *body;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	talk->in_n += (size_t)n;
	length = whole_request(talk, &body);
	if (!length)
		return talk->in_n < sizeof(talk->in) - 1;
	/* Nobody here sends a request before the answer to the last one has ended. */
	if (talk->running || length != talk->in_n)
		return false;
	talk->in_n = 0;
	talk->number = ++*requests;
	return begin_answer(talk, body);
}

bool talk_write(struct talk *talk)
{
	size_t n = talk->out_n;

	talk->blocked = false;
	talk->out_n = 0;
	return n == 0 || put(talk, talk->out, n);
}

/* Gathered as if the socket were full, then sent by one write. */
bool talk_step(struct talk *talk)
{
	unsigned end = talk->sent + talk->burst;
	char delta[128];

	if (talk->sent == talk->tokens)
		return put_end(talk);
	talk->blocked = true;
	for (; talk->sent < end && talk->sent < talk->tokens; talk->sent++) {
		snprintf(delta, sizeof(delta), "{\"content\":\"" BENCH_TOKEN "\"}", talk->sent,
			 bench_now());
		if (!put_delta(talk, delta, "null"))
			return false;
	}
	return talk_write(talk);
}

int64_t talk_due(const struct talk *talk)
{
	if (!talk->running || talk->blocked)
		return BENCH_NEVER;
	return talk->began + (int64_t)talk->sent * talk->gap;
}
