/* http/visitor: what a request says of whom it is from, and where pages may ask at all. */
#include "stub_http.h"

#include "http/visitor.h"

#define HEX "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100"

static struct gateway gateway;

static void ask(const char *method, const char *path)
{
	stub_gateway_clear();
	stub_gateway_param("REQUEST_METHOD", method);
	stub_gateway_param("REQUEST_URI", path);
}

static void read_all(struct request *request, struct store_visitor *out, char *token)
{
	struct config config = stub_http_config();

	request_read(request, &gateway, &config);
	visitor_read(request, out, token);
	request_clear(request);
}

static void who_has_no_token_is_given_one(void **state)
{
	unsigned char hash[KEY_HASH_SIZE];
	struct store_visitor visitor;
	char token[KEY_TOKEN_SIZE];
	struct request request;

	(void)state;
	ask("POST", "/v1/chat");
	stub_gateway_param("HTTP_ORIGIN", "https://a");
	read_all(&request, &visitor, token);
	assert_true(visitor.minted && !visitor.tokenless && !visitor.user.p);
	assert_str(visitor.origin, "https://a");
	assert_int_equal(key_hash(str_from(token), hash), STATUS_OK);
	assert_memory_equal(hash, visitor.token, sizeof(hash));
	assert_true(*visitor.id);
}

static void a_token_is_hashed_as_it_is(void **state)
{
	static const char *const tokens[] = { "vt-site_0123456789abcdefghijkl", "", "anything" };
	unsigned char hash[KEY_HASH_SIZE];
	struct store_visitor visitor;
	char token[KEY_TOKEN_SIZE];
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(tokens); i++) {
		ask("POST", "/v1/chat");
		stub_gateway_param("HTTP_X_VISITOR_TOKEN", tokens[i]);
		read_all(&request, &visitor, token);
		assert_true(!visitor.minted && !visitor.tokenless);
		assert_string_equal(token, "");
		assert_int_equal(key_hash(str_from(tokens[i]), hash), STATUS_OK);
		assert_memory_equal(hash, visitor.token, sizeof(hash));
	}
}

/* The database takes UTF-8 only. */
static void an_origin_that_no_browser_sends_is_no_page_s(void **state)
{
	static const char *const wrong[] = { "https://\xe4.example", "https://a https://b",
					     "\x7f" };
	struct store_visitor visitor;
	char token[KEY_TOKEN_SIZE];
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++) {
		ask("POST", "/v1/chat");
		stub_gateway_param("HTTP_ORIGIN", wrong[i]);
		read_all(&request, &visitor, token);
		assert_non_null(visitor.origin.p);
		assert_int_equal(visitor.origin.n, 0);
	}
}

/* Also of what is read by a POST. */
static void only_a_GET_or_HEAD_may_come_without_an_origin(void **state)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE" };
	struct store_visitor visitor;
	char token[KEY_TOKEN_SIZE];
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(methods); i++) {
		ask(methods[i], "/v1/chat/conversations");
		read_all(&request, &visitor, token);
		assert_int_equal(visitor.origin.n, 0);
		assert_int_equal(!visitor.origin.p, i < 2);
	}
}

static void a_signed_identity_needs_no_token(void **state)
{
	struct store_visitor visitor;
	char token[KEY_TOKEN_SIZE];
	struct request request;

	(void)state;
	ask("POST", "/v1/chat");
	stub_gateway_param("HTTP_X_VISITOR_IDENTITY", "1700000000:" HEX ":a:n+n@x.y");
	read_all(&request, &visitor, token);
	assert_true(!visitor.minted && visitor.tokenless);
	assert_string_equal(token, "");
	assert_str(visitor.user, "a:n+n@x.y");
	assert_int_equal(visitor.expires, 1700000000);
	assert_int_equal(visitor.signature[1], 0x11);
	assert_int_equal(visitor.signature[16], 0xff);
	assert_int_equal(visitor.signature[31], 0);
}

/* The database then finds that it is nobody's: never that there is none. */
static void an_identity_in_another_form_is_an_empty_one(void **state)
{
	static const char *const wrong[] = {
		"",
		":",
		"::",
		"1:" HEX,
		"1:" HEX ":",
		":" HEX ":a",
		"-1:" HEX ":a",
		"1:" HEX "0:a",
		"1:" HEX "00:a",
		"1:g" HEX ":a",
		"1::a",
		"1:" HEX ":a b",
		"1:" HEX ":\xc3\xa4",
		"9223372036854775808:" HEX ":a",
	};
	struct store_visitor visitor;
	char token[KEY_TOKEN_SIZE];
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++) {
		ask("POST", "/v1/chat");
		stub_gateway_param("HTTP_X_VISITOR_IDENTITY", wrong[i]);
		read_all(&request, &visitor, token);
		assert_false(visitor.minted);
		assert_non_null(visitor.user.p);
		assert_int_equal(visitor.user.n, 0);
	}
}

static void where_and_with_what_a_page_may_ask(void **state)
{
	static const struct {
		const char *method, *path, *header, *value;
		bool may;
	} rows[] = {
		{ "POST", "/v1/chat", "HTTP_X_API_KEY", "pk-site_", true },
		{ "GET", "/chat", "HTTP_X_WIDGET_API_KEY", "pk-site_x", true },
		{ "POST", "/v1/chat/stream", "HTTP_X_API_KEY", "sk-widget_x", false },
		{ "POST", "/v1/chat", "HTTP_X_API_KEY", "", false },
		{ "POST", "/v1/chat", "HTTP_AUTHORIZATION", "Bearer pk-site_x", false },
		{ "GET", "/v1/chat/conversations", "HTTP_X_API_KEY", "pk-site_x", true },
		{ "GET", "/v1/chat/conversations/a/messages", "HTTP_X_API_KEY", "pk-site_x", true },
		{ "GET", "/health", "HTTP_X_API_KEY", "pk-site_x", false },
		{ "POST", "/api/v1/chatbots/a/chat", "HTTP_AUTHORIZATION", "Bearer pk-site_x",
		  false },
		{ "POST", "/nothing", "HTTP_X_API_KEY", "pk-site_x", false },
		{ "OPTIONS", "/v1/chat", "HTTP_ACCESS_CONTROL_REQUEST_METHOD", "POST", true },
		{ "OPTIONS", "/health", "HTTP_ACCESS_CONTROL_REQUEST_METHOD", "GET", false },
	};
	struct config config = stub_http_config();
	struct route_match match;
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		ask(rows[i].method, rows[i].path);
		stub_gateway_param("HTTP_ORIGIN", "https://a");
		stub_gateway_param(rows[i].header, rows[i].value);
		request_read(&request, &gateway, &config);
		if (!route_find(request.path, &match))
			match.route = NULL;
		assert_int_equal(visitor_may_ask(&request, &match), rows[i].may);
		request_clear(&request);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_no_token_is_given_one),
		cmocka_unit_test(a_token_is_hashed_as_it_is),
		cmocka_unit_test(an_origin_that_no_browser_sends_is_no_page_s),
		cmocka_unit_test(only_a_GET_or_HEAD_may_come_without_an_origin),
		cmocka_unit_test(a_signed_identity_needs_no_token),
		cmocka_unit_test(an_identity_in_another_form_is_an_empty_one),
		cmocka_unit_test(where_and_with_what_a_page_may_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
