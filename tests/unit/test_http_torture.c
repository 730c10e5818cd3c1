/*
 * http/serve when memory fails: no crash, nothing left, and what goes out is whole: one head, which
 * blames us and not the client, and a stream that begins has one end.
 */
#include "stub_alloc.h"
#include "stub_serve.h"

static const struct stub_piece pieces[] = {
	{ .bytes = STR(DELTA("Hel") DELTA("lo")) },
	{ .bytes = STR(FINISH("stop") USAGE DONE) },
};

#define TALK "{\"message\":\"three\",\"sessionId\":\"s-1\",\"metadata\":{\"a\":[1]}}"

/* Of a text in pieces, which are joined. */
#define COMPLETION                                                                                 \
	"{\"model\":\"b-1\",\"stream\":true,\"messages\":[{\"role\":\"system\",\"content\":\"s\"}" \
	","                                                                                        \
	"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\","   \
	"\"text\":\"b\"}]}]}"

#define PARTS                                                                                      \
	"{\"id\":\"s-1\",\"messages\":[{\"role\":\"user\",\"parts\":[{\"type\":\"text\","          \
	"\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]}"

static const struct stub_row whole_started[] = { { { "started", "c-1", "m-1", [11] = "f" } } };
static const struct stub_answer whole_good[] = { { .rows = whole_started, .count = 1 }, STORED };
static const struct stub_row yes[] = { { { "t" } } };
static const struct stub_answer well[] = { { .rows = yes, .count = 1 }, STORED };

static const struct {
	const char *method, *variable, *path, *body;
	const char *status, *end;	   /* what stands in the reply when all goes well */
	const struct stub_answer *answers; /* two */
} requests[] = {
	{ "POST", "REQUEST_URI", "/chat", TALK, "Status: 200", "\"type\":\"done\"", stub_good },
	/* Here the path is a copy. */
	{ "POST", "PATH_INFO", "/v1/chat", TALK, "Status: 200", "\"message\":\"Hello\"}",
	  whole_good },
	{ "POST", "REQUEST_URI", "/api/v1/chatbots/b-1/chat", TALK, "Status: 200",
	  "\"type\":\"done\"", stub_good },
	{ "POST", "REQUEST_URI", "/v1/chat/completions", COMPLETION, "Status: 200", "[DONE]",
	  stub_good },
	{ "POST", "REQUEST_URI", "/v1/ui", PARTS, "Status: 200", "[DONE]", stub_good },
	{ "GET", "REQUEST_URI", "/chat", "", "Status: 405", "Method not allowed", stub_good },
	{ "POST", "REQUEST_URI", "/none", "{", "Status: 404", "Not found", stub_good },
	{ "GET", "REQUEST_URI", "/health", "", "Status: 200", "\"ok\"", well },
};
static size_t which;

static int count(const char *part)
{
	const char *at = stub_gateway.out;
	int n = 0;

	for (; (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void look(bool failing)
{
	int starts = count("\"type\":\"start\""), ends = count("\"type\":\"done\"");

	ends += count("\"type\":\"finish\"") + count("\"type\":\"error\"");
	assert_int_equal(count("Status: "), 1);
	if (failing && !count(requests[which].status))
		assert_int_equal(count("Status: 500 ") + count("Status: 503 "), 1);
	assert_in_range(starts, 0, count("Status: 200 OK"));
	assert_int_equal(ends, starts);
	/* Nobody is answered to less than what was asked. */
	if (strstr(requests[which].body, "\"text\":\"b\"") && count("Status: 200"))
		assert_non_null(strstr(journal.text, "'a\nb'"));
	/* Said to be stored if, and only if, it was. */
	if (count("\"type\":\"done\"") || count("\"type\":\"finish\"") ||
	    count("\"message\":\"Hello\""))
		assert_non_null(strstr(journal.text, "'done'"));
	if (!failing)
		assert_int_equal(count(requests[which].end), 1);
}

static void one_round(bool failing)
{
	struct stub_serve s;

	if (stub_serve_new(&s) == STATUS_OK) {
		stub_http_request(requests[which].method, requests[which].path,
				  requests[which].body);
		stub_gateway.params[1].name = requests[which].variable;
		stub_gateway_param("HTTP_X_API_KEY", s.widget);
		stub_gateway_param("HTTP_AUTHORIZATION", s.workspace);
		stub_serve_script(requests[which].answers, 2, pieces, COUNT(pieces));
		http_serve(&s.context);
		look(failing);
		assert_null(s.wait.beat);
	}
	stub_serve_free(&s);
}

static void every_allocation_fails_once(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_ERROR, LOG_STDERR);
	for (which = 0; which < COUNT(requests); which++)
		assert_true(alloc_torture(one_round) > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
