/* http/request: one view of a request, whatever web server handed it over. */
#include "stub_http.h"

static struct gateway gateway;

static void read_with(struct request *request, const struct config *config)
{
	request_read(request, &gateway, config);
	request_read_body(request, &gateway, REQUEST_BODY_MAX);
}

static void read_one(struct request *request)
{
	struct config config = stub_http_config();

	read_with(request, &config);
}

static void the_id_is_the_clients_or_a_new_one(void **state)
{
	static char longest[130];
	static const struct {
		const char *sent;
		bool kept;
	} rows[] = {
		{ "r-1", true },
		{ "A.b_c-9", true },
		{ longest + 1, true },
		{ longest, false },
		{ "", false },
		{ "a b", false },
		{ "a\r\nb", false },
		{ "x-sk-workspace_1", false },
		{ "sk-widget_1", false },
		{ NULL, false },
	};
	struct request request;
	size_t i;

	(void)state;
	memset(longest, 'a', 129);
	for (i = 0; i < COUNT(rows); i++) {
		stub_gateway_clear();
		if (rows[i].sent)
			stub_gateway_param("HTTP_X_REQUEST_ID", rows[i].sent);
		read_one(&request);
		if (rows[i].kept)
			assert_same(request.id, str_from(rows[i].sent));
		else
			assert_int_equal(request.id.n, 26);
		request_clear(&request);
	}
}

static void the_path(void **state)
{
	static const struct {
		const char *uri, *script, *info, *prefix;
		const char *path; /* NULL: absent */
		const char *raw;
	} rows[] = {
		{ "/chat", NULL, NULL, "", "/chat", "/chat" },
		{ "/chat/", NULL, NULL, "", "/chat", "/chat/" },
		{ "/chat//", NULL, NULL, "", "/chat/", "/chat//" },
		{ "/", NULL, NULL, "", "/", "/" },
		{ "/?a=/b/", NULL, NULL, "", "/", "/" },
		{ "/chat/?", NULL, NULL, "", "/chat", "/chat/" },
		{ "/%63hat?x", NULL, NULL, "", "/%63hat", "/%63hat" },
		{ "/chat", "/other", "/info", "", "/chat", "/chat" },
		{ NULL, "/v1", "/chat", "", "/v1/chat", "/v1/chat" },
		{ "", "", "/chat/", "", "/chat", "/chat/" },
		{ NULL, "/chat", NULL, "", "/chat", "/chat" },
		{ NULL, NULL, NULL, "", "", "" },
		{ "http://h/chat?x", NULL, NULL, "", "/chat", "/chat" },
		{ "https://h:1/chat/", NULL, NULL, "", "/chat", "/chat/" },
		{ "http://h", NULL, NULL, "", "/", "/" },
		{ "ftp://h/chat", NULL, NULL, "", "ftp://h/chat", "ftp://h/chat" },
		{ "/sub/chat", NULL, NULL, "/sub", "/chat", "/sub/chat" },
		{ "/sub", NULL, NULL, "/sub", "", "/sub" },
		{ "/sub/", NULL, NULL, "/sub", "/", "/sub/" },
		{ "/subchat", NULL, NULL, "/sub", "chat", "/subchat" },
		{ "/chat", NULL, NULL, "/sub", NULL, "/chat" },
		{ NULL, "/sub/banter.fcgi", "", "/sub", "/banter.fcgi", "/sub/banter.fcgi" },
	};
	struct config config = stub_http_config();
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		stub_gateway_clear();
		if (rows[i].uri)
			stub_gateway_param("REQUEST_URI", rows[i].uri);
		if (rows[i].script)
			stub_gateway_param("SCRIPT_NAME", rows[i].script);
		if (rows[i].info)
			stub_gateway_param("PATH_INFO", rows[i].info);
		config.path_prefix = (char *)rows[i].prefix;
		read_with(&request, &config);
		assert_int_equal(request.path.p == NULL, rows[i].path == NULL);
		assert_same(request.path, str_from(rows[i].path));
		assert_same(request.raw_path, str_from(rows[i].raw));
		request_clear(&request);
	}
}

static void origins_are_listed_exactly(void **state)
{
	static const struct {
		const char *list, *origin;
		bool listed;
	} rows[] = {
		{ "https://example.com", "https://example.com", true },
		{ "https://a,https://b", "https://b", true },
		{ "https://a,https://b", "https://a", true },
		{ "https://a,https://b", "https://a,https://b", false },
		{ "https://a", "https://a:443", false },
		{ "https://a", "HTTPS://a", false },
		{ "https://a", "", false },
		{ "https://a", NULL, false },
		{ "", "https://a", false },
		{ "", "", false },
	};
	struct config config = stub_http_config();
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		stub_gateway_clear();
		if (rows[i].origin)
			stub_gateway_param("HTTP_ORIGIN", rows[i].origin);
		config.allowed_origins = (char *)rows[i].list;
		read_with(&request, &config);
		assert_int_equal(request.origin_listed, rows[i].listed);
		request_clear(&request);
	}
}

static void what_a_preflight_is(void **state)
{
	static const struct {
		const char *method, *origin, *asked;
		bool preflight;
	} rows[] = {
		{ "OPTIONS", "https://a", "POST", true }, { "OPTIONS", "", "", true },
		{ "OPTIONS", "https://a", NULL, false },  { "OPTIONS", NULL, "POST", false },
		{ "POST", "https://a", "POST", false },
	};
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		stub_gateway_clear();
		stub_gateway_param("REQUEST_METHOD", rows[i].method);
		if (rows[i].origin)
			stub_gateway_param("HTTP_ORIGIN", rows[i].origin);
		if (rows[i].asked)
			stub_gateway_param("HTTP_ACCESS_CONTROL_REQUEST_METHOD", rows[i].asked);
		read_one(&request);
		assert_int_equal(request.preflight, rows[i].preflight);
		request_clear(&request);
	}
}

static void half_of_a_path_is_none(void **state)
{
	static char longest[9000];
	struct request request;

	(void)state;
	memset(longest, '/', sizeof(longest) - 1);
	stub_gateway_clear();
	stub_gateway_param("SCRIPT_NAME", "/v1/chat");
	stub_gateway_param("PATH_INFO", longest);
	read_one(&request);
	assert_str(request.path, "");
	request_clear(&request);
}

static void the_body_is_whole_or_said_not_to_be(void **state)
{
	static char bytes[REQUEST_BODY_MAX + 1];
	static const struct {
		size_t n;
		size_t most;
		enum status read, status;
	} rows[] = {
		{ 0, REQUEST_BODY_MAX, STATUS_OK, STATUS_OK },
		{ REQUEST_BODY_MAX, REQUEST_BODY_MAX, STATUS_OK, STATUS_OK },
		{ REQUEST_BODY_MAX + 1, REQUEST_BODY_MAX, STATUS_OK, STATUS_INVALID },
		{ REQUEST_BODY_MAX + 1, REQUEST_BODY_MAX + 1, STATUS_OK, STATUS_OK },
		{ 11, 10, STATUS_OK, STATUS_INVALID },
		{ 10, REQUEST_BODY_MAX, STATUS_NOMEM, STATUS_NOMEM },
		{ 10, REQUEST_BODY_MAX, STATUS_INVALID, STATUS_INVALID },
	};
	struct config config = stub_http_config();
	struct request request;
	size_t i;

	(void)state;
	memset(bytes, '{', sizeof(bytes));
	for (i = 0; i < COUNT(rows); i++) {
		stub_gateway_clear();
		stub_gateway.body = (struct str){ bytes, rows[i].n };
		stub_gateway.read = rows[i].read;
		request_read(&request, &gateway, &config);
		assert_int_equal(stub_gateway.reads, 0);
		request_read_body(&request, &gateway, rows[i].most);
		assert_int_equal(stub_gateway.reads, 1);
		assert_int_equal(request.body_status, rows[i].status);
		if (!rows[i].status)
			assert_same(buf_view(&request.body), stub_gateway.body);
		request_clear(&request);
	}
}

/* Which of them counts is chat/limit's to test; here, that the right headers get there. */
static void the_address(void **state)
{
	static const struct {
		const char *remote, *forwarded, *again, *trusted, *address;
	} rows[] = {
		{ "192.0.2.7", NULL, NULL, "", "192.0.2.7" },
		{ "192.0.2.7", "198.51.100.1", NULL, "", "192.0.2.7" },
		{ "192.0.2.7", "203.0.113.9, 198.51.100.1", NULL, "192.0.2.7", "198.51.100.1" },
		{ "192.0.2.7", "198.51.100.1", "203.0.113.9", "192.0.2.7", "192.0.2.7" },
		{ "2001:db8:1:2::3", NULL, NULL, "", "2001:db8:1:2::/64" },
		{ "", NULL, NULL, "", "unknown" },
	};
	struct config config = stub_http_config();
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		stub_gateway_clear();
		stub_gateway_param("REMOTE_ADDR", rows[i].remote);
		if (rows[i].forwarded)
			stub_gateway_param("HTTP_X_FORWARDED_FOR", rows[i].forwarded);
		if (rows[i].again)
			stub_gateway_param("HTTP_X_FORWARDED_FOR", rows[i].again);
		config.trusted_proxies = (char *)rows[i].trusted;
		read_with(&request, &config);
		assert_string_equal(request.address, rows[i].address);
		request_clear(&request);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_id_is_the_clients_or_a_new_one),
		cmocka_unit_test(the_path),
		cmocka_unit_test(half_of_a_path_is_none),
		cmocka_unit_test(origins_are_listed_exactly),
		cmocka_unit_test(what_a_preflight_is),
		cmocka_unit_test(the_body_is_whole_or_said_not_to_be),
		cmocka_unit_test(the_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
