/*
 * edge/http_client against servers on loopback: two of them are one process each, which answers as
 * the path says and counts its connections.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "edge/http_client.h"

#define SERVERS 2
#define SILENCE_MS 300 /* what a busy machine delays, too, comes before its end */
#define LONG_MS 20000

static struct {
	int port;
	pid_t pid;
} servers[SERVERS];

/* "hello", as gzip packs it. */
static const char packed[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9\x07"
			     "\x00\x86\xa6\x10\x36\x05\x00\x00\x00";

/* Who has left sees nothing of it. */
static void send_text(int fd, struct str text)
{
	if (send(fd, text.p, text.n, MSG_NOSIGNAL) < 0)
		shutdown(fd, SHUT_RDWR);
}

static void send_answer(int fd, const char *headers, struct str body)
{
	char head[256];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n",
			 headers, body.n);

	send_text(fd, (struct str){ head, (size_t)n });
	send_text(fd, body);
}

static bool begins(const char *request, const char *path)
{
	return memcmp(request, path, strlen(path)) == 0;
}

/* It begins to answer while the request still comes. */
static void answer_early(int fd)
{
	char bytes[65536];
	ssize_t n;

	send_text(fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"));
	usleep(SILENCE_MS * 500);
	do
		n = read(fd, bytes, sizeof(bytes));
	while (n > 0 && bytes[n - 1] != 'd');
	send_text(fd, STR("again"));
}

/* False: the connection is to be closed. */
static bool answer(int fd, const char *request, int connection)
{
	char headers[64];

	snprintf(headers, sizeof(headers), "X-Connection: %d\r\n", connection);
	if (begins(request, "POST /echo ")) {
		send_answer(fd, headers, str_from(strstr(request, "\r\n\r\n") + 4));
	} else if (begins(request, "POST /early ")) {
		answer_early(fd);
	} else if (begins(request, "GET /headers ")) {
		send_answer(fd, "HTTP-Like: x\r\nX-One:  1 \r\n", str_from(request));
	} else if (begins(request, "GET /packed ")) {
		send_answer(fd, "Content-Encoding: gzip\r\n",
			    (struct str){ packed, sizeof(packed) - 1 });
	} else if (begins(request, "GET /spoilt ")) {
		send_answer(fd, "", STR("\x1f\x8b is none"));
	} else if (begins(request, "GET /busy ")) {
		send_answer(fd, "Retry-After: 7\r\n", STR("hello"));
	} else if (begins(request, "GET /busy-date ")) {
		send_answer(fd, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", STR("hello"));
	} else if (begins(request, "GET /busy-past ")) {
		send_answer(fd, "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", STR("hello"));
	} else if (begins(request, "GET /busy-words ")) {
		send_answer(fd, "Retry-After: soon\r\n", STR("hello"));
	} else if (begins(request, "GET /busy-ms ")) {
		send_answer(fd, "retry-after-ms: 250\r\nRetry-After: 1\r\n", STR("hello"));
	} else if (begins(request, "GET /busy-ever ")) {
		send_answer(fd, "retry-after-ms: 9223372036854775807\r\n", STR("hello"));
	} else if (begins(request, "GET /cut ")) {
		send_text(fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"));
		return false;
	} else if (begins(request, "GET /pause ")) {
		send_text(fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"));
	} else if (begins(request, "GET /tail ")) {
		send_text(fd, STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				  "5\r\nhello\r\n"));
		usleep(SILENCE_MS * 500);
		send_text(fd, STR("0\r\n\r\n"));
	} else if (!begins(request, "GET /silence ")) {
		return false;
	}
	return true;
}

/* A request, its body too, comes in one read or a few. */
static void serve_connection(int fd, int connection)
{
	char request[4096];
	ssize_t n, got;

	for (got = 0; fd >= 0; got = 0) {
		do {
			n = read(fd, request + got, sizeof(request) - 1 - (size_t)got);
			got += n > 0 ? n : 0;
			request[got] = '\0';
		} while (n > 0 && (!strstr(request, "\r\n\r\n") ||
				   (begins(request, "POST /echo ") && !strstr(request, "end"))));
		if (n <= 0 || !answer(fd, request, connection))
			break;
	}
}

/* A process each: a kept connection holds up no other. */
static void serve(int listening)
{
	int connection, fd;

	signal(SIGCHLD, SIG_IGN);
	for (connection = 1;; connection++) {
		fd = accept(listening, NULL, NULL);
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve_connection(fd, connection);
			_exit(0);
		}
		close(fd);
	}
}

static int start_servers(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int i, fd;

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < SERVERS; i++) {
		address.sin_port = 0;
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 8) ||
		    getsockname(fd, (struct sockaddr *)&address, &size))
			return -1;
		servers[i].port = ntohs(address.sin_port);
		servers[i].pid = fork();
		if (servers[i].pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(fd);
		}
		close(fd);
	}
	return http_client_warm() == STATUS_OK ? 0 : -1;
}

static int stop_servers(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < SERVERS; i++) {
		kill(servers[i].pid, SIGKILL);
		waitpid(servers[i].pid, NULL, 0);
	}
	return 0;
}

/* A transfer, and all that came of it. */
struct result {
	enum status status;
	char body[4096];
	size_t n;
};

static struct str body_of(const struct result *result)
{
	return (struct str){ result->body, result->n };
}

static struct http_prepared prepare(struct http_client *client, int server, const char *path,
				    struct http_target target)
{
	struct http_prepared prepared;
	const char *why = "";
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", servers[server].port, path);
	target.url = url;
	target.agent = "test";
	target.connect_ms = LONG_MS;
	assert_int_equal(http_client_prepare(client, &target, &prepared, &why), STATUS_OK);
	return prepared;
}

static void run(struct http_client *client, const struct http_prepared *prepared, struct str body,
		int64_t limit_ms, struct result *result)
{
	struct http_piece piece = { .ended = false };
	struct wait wait;

	wait_init(&wait);
	result->n = 0;
	result->status = http_client_start(client, prepared, body, clock_ms() + limit_ms, NULL);
	assert_int_equal(http_client_end(client), HTTP_END_NONE);
	while (result->status == STATUS_OK && !piece.ended) {
		result->status = http_client_next(client, &wait, CLOCK_NEVER, &piece);
		assert_true(result->n + piece.bytes.n <= sizeof(result->body));
		memcpy(result->body + result->n, piece.bytes.p, piece.bytes.n);
		result->n += piece.bytes.n;
	}
}

static void fetch(int server, const char *path, struct http_target target, int64_t limit_ms,
		  enum status status, enum http_end end, const char *body)
{
	struct http_client *client = NULL;
	struct http_prepared prepared;
	struct result result;

	assert_int_equal(http_client_new(&client), STATUS_OK);
	prepared = prepare(client, server, path, target);
	run(client, &prepared, STR_NONE, limit_ms, &result);
	assert_int_equal(result.status, status);
	assert_int_equal(http_client_end(client), end);
	assert_same(body_of(&result), str_from(body));
	/* Of our own limits the caller knows best what they mean. */
	assert_int_equal(*http_client_cause(client) != '\0',
			 status == STATUS_UNAVAILABLE || end == HTTP_END_LATE);
	http_client_free(client);
	http_prepared_clear(&prepared);
}

static int connection_of(struct http_client *client)
{
	struct buf head;
	int number = 0;

	buf_init(&head, 4096);
	http_client_head(client, &head);
	assert_int_equal(sscanf(buf_text(&head), "X-Connection: %d\r\n", &number), 1);
	buf_clear(&head);
	return number;
}

/* Each with its own headers; a connection to each is kept while the other is asked. */
static void servers_are_asked_in_turn(void **state)
{
	struct http_client *client = NULL;
	struct http_prepared prepared[SERVERS];
	int first[SERVERS], i;
	struct result result;

	(void)state;
	assert_int_equal(http_client_new(&client), STATUS_OK);
	for (i = 0; i < SERVERS; i++)
		prepared[i] =
			prepare(client, i, "/echo", (struct http_target){ .first_ms = LONG_MS });
	for (i = 0; i < 10; i++) {
		run(client, &prepared[i % SERVERS], i % 3 ? STR("one end") : STR("another, end"),
		    LONG_MS, &result);
		assert_int_equal(result.status, STATUS_OK);
		assert_int_equal(http_client_end(client), HTTP_END_WHOLE);
		assert_int_equal(http_client_status(client), 200);
		assert_same(body_of(&result), i % 3 ? STR("one end") : STR("another, end"));
		if (i < SERVERS)
			first[i] = connection_of(client);
		assert_int_equal(connection_of(client), first[i % SERVERS]);
	}
	http_client_free(client);
	for (i = 0; i < SERVERS; i++)
		http_prepared_clear(&prepared[i]);
}

static int connection_of_next(struct http_target target)
{
	struct http_client *client = NULL;
	struct http_prepared prepared;
	struct result result;
	int number;

	assert_int_equal(http_client_new(&client), STATUS_OK);
	prepared = prepare(client, 0, "/echo", target);
	run(client, &prepared, STR("the end"), LONG_MS, &result);
	assert_same(body_of(&result), STR("the end"));
	number = connection_of(client);
	http_client_free(client);
	http_prepared_clear(&prepared);
	return number;
}

static void rehearse_with_tls(void)
{
	struct http_target target = { .rehearse = true, .connect_ms = LONG_MS };
	struct http_client *client = NULL;
	struct http_prepared prepared;
	const char *why = NULL;
	char url[64];

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/echo", servers[0].port);
	target.url = url;
	assert_int_equal(http_client_new(&client), STATUS_OK);
	assert_int_equal(http_client_prepare(client, &target, &prepared, &why), STATUS_OK);
	assert_string_equal(http_client_cause(client), "");
	http_client_free(client);
	http_prepared_clear(&prepared);
}

static void a_rehearsal_asks_no_server(void **state)
{
	int before = connection_of_next((struct http_target){ .first_ms = LONG_MS });

	(void)state;
	rehearse_with_tls();
	assert_int_equal(
		connection_of_next((struct http_target){ .first_ms = LONG_MS, .rehearse = true }),
		before + 1);
}

static void headers_go_and_come(void **state)
{
	struct http_client *client = NULL;
	struct http_prepared prepared;
	struct result result;
	struct buf head;

	(void)state;
	assert_int_equal(http_client_new(&client), STATUS_OK);
	buf_init(&head, 4096);
	/* Before the first transfer there is nothing to tell. */
	http_client_head(client, &head);
	assert_int_equal(head.len, 0);
	assert_int_equal(http_client_status(client), 0);
	prepared =
		prepare(client, 0, "/headers", (struct http_target){ .headers = "One: 1\nTwo: 2" });
	run(client, &prepared, STR_NONE, LONG_MS, &result);
	assert_int_equal(result.status, STATUS_OK);
	result.body[result.n] = '\0';
	assert_non_null(strstr(result.body, "User-Agent: test\r\n"));
	assert_non_null(strstr(result.body, "One: 1\r\nTwo: 2\r\n"));
	assert_null(strstr(result.body, "Accept-Encoding"));
	http_client_head(client, &head);
	assert_true(
		str_starts(buf_view(&head), STR("HTTP-Like: x\r\nX-One: 1\r\nContent-Length: ")));
	assert_int_equal(http_client_certificate_end(client), 0);
	buf_clear(&head);
	http_client_free(client);
	http_prepared_clear(&prepared);
}

static void it_is_unpacked_asked_for_or_not(void **state)
{
	(void)state;
	fetch(0, "/packed", (struct http_target){ .accept_encoding = NULL }, LONG_MS, STATUS_OK,
	      HTTP_END_WHOLE, "hello");
	fetch(0, "/packed", (struct http_target){ .accept_encoding = "" }, LONG_MS, STATUS_OK,
	      HTTP_END_WHOLE, "hello");
	fetch(0, "/packed", (struct http_target){ .accept_encoding = "identity" }, LONG_MS,
	      STATUS_OK, HTTP_END_WHOLE, "hello");
}

static void each_end_has_its_kind(void **state)
{
	const struct http_target patient = { .first_ms = LONG_MS, .idle_ms = LONG_MS };
	const struct http_target first = { .first_ms = SILENCE_MS, .idle_ms = LONG_MS };
	const struct http_target next = { .first_ms = LONG_MS, .idle_ms = SILENCE_MS };
	const struct http_target whole = { .total_ms = SILENCE_MS };

	(void)state;
	fetch(0, "/cut", patient, LONG_MS, STATUS_UNAVAILABLE, HTTP_END_CUT, "hello");
	fetch(0, "/spoilt", patient, LONG_MS, STATUS_UNAVAILABLE, HTTP_END_OTHER, "");
	fetch(0, "/closed", patient, LONG_MS, STATUS_UNAVAILABLE, HTTP_END_CUT, "");
	fetch(0, "/silence", first, LONG_MS, STATUS_TIMEOUT, HTTP_END_LATE_FIRST, "");
	fetch(0, "/pause", next, LONG_MS, STATUS_TIMEOUT, HTTP_END_LATE_NEXT, "hello");
	fetch(0, "/pause", patient, SILENCE_MS, STATUS_TIMEOUT, HTTP_END_LATE_DEADLINE, "hello");
	fetch(0, "/pause", whole, LONG_MS, STATUS_TIMEOUT, HTTP_END_LATE, "hello");
}

static void nobody_listens(void **state)
{
	int port = servers[1].port;

	(void)state;
	/* A privileged port of loopback that nobody has. */
	servers[1].port = 1;
	fetch(1, "/", (struct http_target){ .first_ms = LONG_MS }, LONG_MS, STATUS_UNAVAILABLE,
	      HTTP_END_REFUSED, "");
	servers[1].port = port;
}

/* Its last bytes lie in the socket when it is stopped: else the next one would connect anew. */
static void a_connection_is_kept_when_the_end_is_here(void **state)
{
	struct http_client *client = NULL;
	struct http_prepared tail, echo;
	struct http_piece piece = { .bytes = STR("") };
	struct result result;
	struct wait wait;
	int first;

	(void)state;
	wait_init(&wait);
	assert_int_equal(http_client_new(&client), STATUS_OK);
	tail = prepare(client, 0, "/tail", (struct http_target){ .first_ms = LONG_MS });
	echo = prepare(client, 0, "/echo", (struct http_target){ .first_ms = LONG_MS });
	run(client, &echo, STR("end"), LONG_MS, &result);
	first = connection_of(client);
	assert_int_equal(http_client_start(client, &tail, STR_NONE, clock_ms() + LONG_MS, NULL),
			 STATUS_OK);
	while (!piece.bytes.n)
		assert_int_equal(http_client_next(client, &wait, CLOCK_NEVER, &piece), STATUS_OK);
	assert_false(piece.ended);
	usleep(SILENCE_MS * 1000);
	http_client_stop(client);
	run(client, &echo, STR("end"), LONG_MS, &result);
	assert_int_equal(result.status, STATUS_OK);
	assert_int_equal(connection_of(client), first);
	/* Without its end the connection is of no more use. */
	assert_int_equal(http_client_start(client, &tail, STR_NONE, clock_ms() + LONG_MS, NULL),
			 STATUS_OK);
	http_client_stop(client);
	run(client, &echo, STR("end"), LONG_MS, &result);
	assert_int_equal(result.status, STATUS_OK);
	assert_true(connection_of(client) > first);
	http_client_free(client);
	http_prepared_clear(&tail);
	http_prepared_clear(&echo);
	http_client_free(NULL);
}

static void an_answer_may_begin_before_the_request_has_gone(void **state)
{
	const size_t most = 32 << 20; /* more than the kernel takes at once */
	struct http_client *client = NULL;
	struct http_prepared early;
	struct result result;
	struct buf body;

	(void)state;
	buf_init(&body, most);
	memset(buf_room(&body, most), 'x', most);
	buf_grew(&body, most - 3);
	buf_puts(&body, "end");
	assert_int_equal(http_client_new(&client), STATUS_OK);
	early = prepare(client, 0, "/early", (struct http_target){ .first_ms = LONG_MS });
	run(client, &early, buf_view(&body), LONG_MS, &result);
	assert_int_equal(result.status, STATUS_OK);
	assert_same(body_of(&result), STR("helloagain"));
	http_client_free(client);
	http_prepared_clear(&early);
	buf_clear(&body);
}

static void a_pause_that_the_server_asks_for(void **state)
{
	static const struct {
		const char *path;
		int64_t ms;
	} cases[] = {
		{ "/busy", 7000 },    { "/busy-ms", 250 },   { "/busy-date", 86400000 },
		{ "/busy-past", -1 }, { "/busy-words", -1 }, { "/busy-ever", 86400000 },
		{ "/headers", -1 },
	};
	struct http_client *client = NULL;
	struct result result;
	size_t i;

	(void)state;
	assert_int_equal(http_client_new(&client), STATUS_OK);
	assert_int_equal(http_client_retry_ms(client), -1);
	for (i = 0; i < COUNT(cases); i++) {
		struct http_prepared prepared = prepare(
			client, 0, cases[i].path, (struct http_target){ .first_ms = LONG_MS });

		run(client, &prepared, STR_NONE, LONG_MS, &result);
		assert_int_equal(http_client_retry_ms(client), cases[i].ms);
		http_prepared_clear(&prepared);
	}
	http_client_free(client);
}

static void a_kept_connection_is_known_and_can_be_left_alone(void **state)
{
	static const struct http_target target = { .first_ms = LONG_MS };
	struct http_client *client = NULL;
	struct http_prepared echo;
	struct result result;
	int first;

	(void)state;
	assert_int_equal(http_client_new(&client), STATUS_OK);
	assert_false(http_client_reused(client));
	echo = prepare(client, 0, "/echo", target);
	run(client, &echo, STR("end"), LONG_MS, &result);
	first = connection_of(client);
	assert_false(http_client_reused(client));
	run(client, &echo, STR("end"), LONG_MS, &result);
	assert_int_equal(connection_of(client), first);
	assert_true(http_client_reused(client));
	http_client_fresh(client, true);
	run(client, &echo, STR("end"), LONG_MS, &result);
	assert_int_not_equal(connection_of(client), first);
	assert_false(http_client_reused(client));
	http_client_fresh(client, false);
	run(client, &echo, STR("end"), LONG_MS, &result);
	assert_true(http_client_reused(client));
	http_client_free(client);
	http_prepared_clear(&echo);
}

/* Nothing is sent twice that the caller does not know of. */
static void a_kept_connection_that_was_closed_is_told(void **state)
{
	static const struct http_target target = { .first_ms = LONG_MS };
	struct http_client *client = NULL;
	struct http_prepared echo, nothing;
	struct result result;
	int first;

	(void)state;
	assert_int_equal(http_client_new(&client), STATUS_OK);
	echo = prepare(client, 0, "/echo", target);
	nothing = prepare(client, 0, "/nothing", target);
	run(client, &echo, STR("end"), LONG_MS, &result);
	first = connection_of(client);
	run(client, &nothing, STR_NONE, LONG_MS, &result);
	assert_int_equal(result.status, STATUS_UNAVAILABLE);
	assert_int_equal(http_client_end(client), HTTP_END_CUT);
	assert_true(http_client_reused(client));
	assert_string_equal(http_client_cause(client), "the server closed a kept connection");
	/* On a new one it is the server that fails. */
	run(client, &nothing, STR_NONE, LONG_MS, &result);
	assert_int_equal(http_client_end(client), HTTP_END_CUT);
	assert_false(http_client_reused(client));
	run(client, &echo, STR("end"), LONG_MS, &result);
	assert_int_equal(result.status, STATUS_OK);
	assert_true(connection_of(client) > first);
	http_client_free(client);
	http_prepared_clear(&echo);
	http_prepared_clear(&nothing);
}

/* However busy it is: a name that moved is found. */
static void a_connection_does_not_get_old(void **state)
{
	static const struct http_target target = { .first_ms = LONG_MS, .age_ms = 1000 };
	int64_t until = clock_ms() + LONG_MS;
	struct http_client *client = NULL;
	struct http_prepared echo;
	struct result result;
	int first;

	(void)state;
	assert_int_equal(http_client_new(&client), STATUS_OK);
	echo = prepare(client, 0, "/echo", target);
	run(client, &echo, STR("end"), LONG_MS, &result);
	first = connection_of(client);
	while (connection_of(client) == first && clock_ms() < until) {
		usleep(SILENCE_MS * 1000);
		run(client, &echo, STR("end"), LONG_MS, &result);
		assert_int_equal(result.status, STATUS_OK);
	}
	assert_int_not_equal(connection_of(client), first);
	http_client_free(client);
	http_prepared_clear(&echo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_asked_in_turn),
		cmocka_unit_test(a_rehearsal_asks_no_server),
		cmocka_unit_test(headers_go_and_come),
		cmocka_unit_test(it_is_unpacked_asked_for_or_not),
		cmocka_unit_test(each_end_has_its_kind),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(a_connection_is_kept_when_the_end_is_here),
		cmocka_unit_test(an_answer_may_begin_before_the_request_has_gone),
		cmocka_unit_test(a_pause_that_the_server_asks_for),
		cmocka_unit_test(a_kept_connection_is_known_and_can_be_left_alone),
		cmocka_unit_test(a_kept_connection_that_was_closed_is_told),
		cmocka_unit_test(a_connection_does_not_get_old),
	};

	return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
