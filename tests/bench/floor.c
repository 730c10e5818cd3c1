/*
 * The floor: the bare relay with what nobody can do without who does Banter's job: libcurl before
 * the model, a strict reading of what it says (ours), and two calls of the database, the bench's
 * lean ones (lean.sql) by libpq's own environment.  Nothing is limited, timed, logged, counted or
 * told again.  What Banter costs more is what it promises; what the floor costs is no choice.
 *
 *	floor SOCKET MODEL_PORT WORKERS BEGIN END
 *
 * BEGIN and END: statements, of an exchange's id and its question, or its answer.
 */
#include <curl/curl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "chat/model_answer.h"
#include "relay_pool.h"
#include "wire/frame.h"

#define MOST ((size_t)1 << 24) /* bytes of an answer, which the bench's never have */

static const char *model_port, *statements[2];
static struct floor {
	FCGI_FILE flush;
	PGconn *database;
	CURLM *multi;
	CURL *model;
	struct pollfd fds[2]; /* the model's, and the client's */
	long wait_ms;	      /* libcurl's own wish; -1: none */
	struct model_answer answer;
	struct buf lines, text;
	unsigned served;
	long begun; /* no process had this number before at that time, ns */
	char id[64], question[RELAY_READ], body[2 * RELAY_READ];
} the;

static bool call(const char *statement, const char *text)
{
	const char *values[] = { the.id, text };
	PGresult *result = PQexecParams(the.database, statement, 2, NULL, values, NULL, NULL, 0);
	bool good = PQresultStatus(result) == PGRES_TUPLES_OK;

	if (!good)
		fputs(PQresultErrorMessage(result), stderr);
	PQclear(result);
	return good;
}

static enum status on_text(void *context, struct str text)
{
	struct frame frame;

	(void)context;
	frame_begin(&frame, &the.lines, FRAME_NDJSON);
	frame_raw(&frame, "type", STR("\"token\""));
	frame_string(&frame, "token", text);
	frame_end(&frame);
	buf_str(&the.text, text);
	return STATUS_OK;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
	(void)context;
	return model_answer_feed(&the.answer, (struct str){ bytes, size * count }, on_text, NULL)
		       ? 0
		       : size * count;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
	(void)easy, (void)context, (void)of_socket;
	the.fds[0] = (struct pollfd){
		.fd = what == CURL_POLL_REMOVE ? -1 : fd,
		.events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
				  (what & CURL_POLL_OUT ? POLLOUT : 0)),
	};
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *context)
{
	(void)multi, (void)context;
	the.wait_ms = ms;
	return 0;
}

/* As edge/http_multi: where only reading is left, curl_multi_perform() looks no socket up. */
static int drive(void)
{
	int left = 1, bits = the.fds[0].revents;

	if (!bits) {
		the.wait_ms = -1;
		curl_multi_socket_action(the.multi, CURL_SOCKET_TIMEOUT, 0, &left);
	} else if (the.fds[0].events == POLLIN) {
		curl_multi_perform(the.multi, &left);
	} else {
		curl_multi_socket_action(the.multi, the.fds[0].fd,
					 (bits & POLLIN ? CURL_CSELECT_IN : 0) |
						 (bits & POLLOUT ? CURL_CSELECT_OUT : 0),
					 &left);
	}
	return left;
}

/* Until the answer's end; what comes together is flushed together. False: somebody is gone. */
static bool pass_on(FCGX_Request *request)
{
	struct timespec wait;
	int left = 1;

	while (left) {
		if (FCGI_fflush(&the.flush) < 0)
			return false;
		wait = (struct timespec){ the.wait_ms / 1000, the.wait_ms % 1000 * 1000000 };
		if (ppoll(the.fds, 2, the.wait_ms < 0 ? NULL : &wait, NULL) < 0 ||
		    the.fds[1].revents)
			return false;
		buf_reset(&the.lines);
		left = drive();
		if (the.lines.len)
			FCGX_PutStr(the.lines.data, (int)the.lines.len, request->out);
	}
	/* What came with the end does not wait for the database. */
	return model_answer_done(&the.answer) && FCGI_fflush(&the.flush) == 0;
}

static void serve(FCGX_Request *request)
{
	int n = FCGX_GetStr(the.question, RELAY_READ - 1, request->in);
	bool stored = false;

	the.question[n] = '\0';
	the.flush = (FCGI_FILE){ .fcgx_stream = request->out };
	the.fds[0].fd = -1;
	the.fds[1] = (struct pollfd){ .fd = request->ipcFd, .events = POLLRDHUP };
	the.wait_ms = 0;
	model_answer_reset(&the.answer, false);
	buf_reset(&the.text);
	snprintf(the.id, sizeof(the.id), "%ld-%d-%u", the.begun, getpid(), the.served++);
	snprintf(the.body, sizeof(the.body), RELAY_BODY, n, the.question);
	curl_easy_setopt(the.model, CURLOPT_POSTFIELDS, the.body);
	if (call(statements[0], the.question)) {
		curl_multi_add_handle(the.multi, the.model);
		stored = pass_on(request) && call(statements[1], the.text.data);
		curl_multi_remove_handle(the.multi, the.model);
	}
	if (stored)
		FCGX_FPrintF(request->out, RELAY_DONE, (int)the.text.len, the.text.data);
}

static void begin(void)
{
	struct timespec now;
	char url[80];

	clock_gettime(CLOCK_REALTIME, &now);
	the.begun = now.tv_sec * 1000000000 + now.tv_nsec;
	the.database = PQconnectdb("");
	if (PQstatus(the.database) != CONNECTION_OK) {
		fputs(PQerrorMessage(the.database), stderr);
		exit(1);
	}
	model_answer_init(&the.answer, MOST);
	buf_init(&the.lines, MOST);
	buf_init(&the.text, MOST);
	snprintf(url, sizeof(url), "http://127.0.0.1:%s/v1/chat/completions", model_port);
	the.multi = curl_multi_init();
	curl_multi_setopt(the.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(the.multi, CURLMOPT_TIMERFUNCTION, on_timer);
	the.model = curl_easy_init();
	curl_easy_setopt(the.model, CURLOPT_URL, url);
	curl_easy_setopt(the.model, CURLOPT_HTTPHEADER,
			 curl_slist_append(NULL, "Content-Type: application/json"));
	curl_easy_setopt(the.model, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(the.model, CURLOPT_NOSIGNAL, 1L);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 1;
	model_port = argv[2];
	statements[0] = argv[4];
	statements[1] = argv[5];
	curl_global_init(CURL_GLOBAL_DEFAULT); /* once, for all of them */
	return relay_pool(argv[1], atoi(argv[3]), begin, serve);
}
