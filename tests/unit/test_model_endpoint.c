/* chat/model_endpoint: what the HTTP client is told of a server. */
#include "stub_http_client.h"

#include "base/log.h"
#include "chat/model_endpoint.h"

#define URL "http://model/v1"
#define FIXED "Content-Type: application/json\nAccept: text/event-stream, application/json"

/* Nothing of it is written through: the settings' members are no constants. */
static char *text(const char *constant)
{
	return (char *)(uintptr_t)constant;
}

static struct model_server make_server(const char *url, const char *key, const char *headers)
{
	return (struct model_server){ .name = text("hosted"),
				      .url = text(url),
				      .key = text(key),
				      .headers = text(headers),
				      .members = text(""),
				      .ca = text("") };
}

static void a_server_becomes_a_target(void **state)
{
	static const struct {
		const char *url, *key, *headers, *target;
	} cases[] = {
		{ URL, "", "", "target(" URL "/chat/completions, " FIXED ") " },
		{ URL, "k", "",
		  "target(" URL "/chat/completions, Authorization: Bearer k\n" FIXED ") " },
		/* The path goes before the query. */
		{ "https://a.example/x?api-version=1", "", "",
		  "target(https://a.example/x/chat/completions?api-version=1, " FIXED ") " },
		/* The operator's own come first; some of them say who we are. */
		{ URL, "k", "X-One: 1\nX-Two: api-key:2",
		  "target(" URL "/chat/completions, X-One: 1\nX-Two: api-key:2\n"
		  "Authorization: Bearer k\n" FIXED ") " },
		{ URL, "k", "X-One: 1\nAPI-KEY: other",
		  "target(" URL "/chat/completions, X-One: 1\nAPI-KEY: other\n" FIXED ") " },
		{ URL, "k", "authorization: Basic x",
		  "target(" URL "/chat/completions, authorization: Basic x\n" FIXED ") " },
		{ URL, "k", "Authorization-Of: x",
		  "target(" URL "/chat/completions, Authorization-Of: x\n"
		  "Authorization: Bearer k\n" FIXED ") " },
	};
	struct model_endpoint endpoint;
	struct http_client *client = NULL;
	size_t i;

	(void)state;
	stub_http_script(NULL, 0);
	assert_int_equal(http_client_new(&client), STATUS_OK);
	for (i = 0; i < COUNT(cases); i++) {
		struct model_server server =
			make_server(cases[i].url, cases[i].key, cases[i].headers);

		journal_clear();
		assert_int_equal(model_endpoint_init(&endpoint, client, &server), STATUS_OK);
		assert_string_equal(journal.text, cases[i].target);
		assert_ptr_equal(endpoint.server, &server);
		model_endpoint_clear(&endpoint);
	}
	http_client_free(client);
}

static void a_server_that_cannot_be_asked_is_told(void **state)
{
	struct model_server server = make_server(URL, "the-key", "");
	struct model_endpoint endpoint;
	struct http_client *client = NULL;
	struct buf heard;

	(void)state;
	buf_init(&heard, 1000);
	log_divert(&heard);
	stub_http_script(NULL, 0);
	stub_http.prepared = STATUS_FAILED;
	assert_int_equal(http_client_new(&client), STATUS_OK);
	assert_int_equal(model_endpoint_init(&endpoint, client, &server), STATUS_FAILED);
	model_endpoint_clear(&endpoint);
	log_divert(NULL);
	assert_non_null(strstr(buf_text(&heard), "server hosted cannot be used: the stub's why"));
	assert_null(strstr(buf_text(&heard), "the-key"));
	buf_clear(&heard);
	http_client_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_becomes_a_target),
		cmocka_unit_test(a_server_that_cannot_be_asked_is_told),
	};

	log_open("test", LOG_LEVEL_ERROR, LOG_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
