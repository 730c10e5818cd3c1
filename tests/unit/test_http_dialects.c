/* http/headless and http/chatbot: the words of every error, and where each looks for its key. */
#include "stub_http.h"

#include "http/agui.h"
#include "http/chatbot.h"
#include "http/deep_chat.h"
#include "http/headless.h"
#include "http/n8n.h"
#include "http/openai.h"
#include "http/ui.h"

static const struct dialect *const all[] = { &dialect_headless, &dialect_chatbot,
					     &dialect_openai,	&dialect_ui,
					     &dialect_agui,	&dialect_deep_chat,
					     &dialect_n8n };

/* The contract's H1 and B3, row by row. */
static const struct {
	enum http_error error;
	int status;
	const char *headless, *chatbot, *code;
} errors[] = {
	{ ERROR_NOT_FOUND, 404, "Not found", "No such path", "NOT_FOUND" },
	{ ERROR_METHOD, 405, "Method not allowed", "Method not allowed", "METHOD_NOT_ALLOWED" },
	{ ERROR_UNAUTHORIZED, 401, "Unauthorized", "Invalid or inactive API key",
	  "INVALID_API_KEY" },
	{ ERROR_NO_KEY, 401, "Unauthorized", "Missing Authorization header",
	  "MISSING_AUTH_HEADER" },
	{ ERROR_MALFORMED_KEY, 401, "Unauthorized",
	  "Malformed Authorization header: expected Bearer and an API key",
	  "MALFORMED_AUTH_HEADER" },
	{ ERROR_FORBIDDEN, 403, "Forbidden", "Forbidden", "FORBIDDEN" },
	{ ERROR_NO_VISITOR, 401, "Unknown visitor", "Unknown visitor", "UNKNOWN_VISITOR" },
	{ ERROR_INVALID, 400, "Invalid request payload", "Invalid request payload",
	  "INVALID_REQUEST" },
	{ ERROR_KEY_REUSED, 409, "Idempotency key reused",
	  "Idempotency key reused with another request", "IDEMPOTENCY_KEY_REUSED" },
	{ ERROR_IN_PROGRESS, 409, "Request in progress",
	  "A request with this idempotency key is in progress", "REQUEST_IN_PROGRESS" },
	{ ERROR_CHATBOT_NOT_FOUND, 404, "Not found", "Chatbot not found or access denied",
	  "CHATBOT_NOT_FOUND" },
	{ ERROR_CONVERSATION_NOT_FOUND, 404, "Not found", "Conversation not found or access denied",
	  "CONVERSATION_NOT_FOUND" },
	{ ERROR_NO_CREDIT, 402, "Insufficient credits",
	  "Insufficient credits to generate AI response. Please upgrade your plan.",
	  "INSUFFICIENT_CREDITS" },
	{ ERROR_INTERNAL, 500, "Internal server error", "Internal server error", "INTERNAL_ERROR" },
	{ ERROR_UNAVAILABLE, 503, "Service unavailable", "Service unavailable",
	  "SERVICE_UNAVAILABLE" },
};

static void says(const struct dialect *dialect, enum http_error error, int64_t retry_s,
		 const char *body)
{
	struct buf out;

	buf_init(&out, 1000);
	dialect->put_error(&out, error, retry_s);
	assert_int_equal(buf_check(&out), STATUS_OK);
	assert_string_equal(buf_text(&out), body);
	buf_clear(&out);
}

static void every_error(void **state)
{
	char body[500];
	size_t i;

	(void)state;
	/* One row each, but for ERROR_NONE and the one that has a number in it. */
	assert_int_equal(COUNT(errors), ERROR_COUNT - 2);
	for (i = 0; i < COUNT(errors); i++) {
		assert_int_equal(error_status(errors[i].error), errors[i].status);
		snprintf(body, sizeof(body), "{\"error\":\"%s\"}", errors[i].headless);
		says(&dialect_headless, errors[i].error, 0, body);
		says(&dialect_agui, errors[i].error, 0, body);
		says(&dialect_deep_chat, errors[i].error, 0, body);
		snprintf(body, sizeof(body), "{\"message\":\"%s\"}", errors[i].headless);
		says(&dialect_n8n, errors[i].error, 0, body);
		snprintf(body, sizeof(body), "{\"success\":false,\"error\":\"%s\",\"code\":\"%s\"}",
			 errors[i].chatbot, errors[i].code);
		says(&dialect_chatbot, errors[i].error, 0, body);
	}
	assert_int_equal(error_status(ERROR_TOO_MANY), 429);
	says(&dialect_headless, ERROR_TOO_MANY, 9, "{\"error\":\"Too many requests\"}");
	says(&dialect_chatbot, ERROR_TOO_MANY, 9,
	     "{\"success\":false,\"error\":\"Rate limit exceeded. Please wait before sending "
	     "another message.\",\"code\":\"RATE_LIMIT_EXCEEDED\",\"retryAfter\":9}");
}

/* What a row leaves out would be called all the same. */
static void every_row_is_whole(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		const struct dialect *d = all[i];

		assert_true(d->name && d->read_key && d->read);
		assert_true(d->stream_type && d->put_event && d->beat);
		assert_true(!d->answer_type == !d->put_answer);
		assert_true(d->error_type && d->put_error);
	}
}

static void limits_of_an_address(void **state)
{
	(void)state;
	assert_int_equal(dialect_headless.limits, DIALECT_ADDRESS_WINDOW | DIALECT_ADDRESS_OPEN);
	assert_int_equal(dialect_chatbot.limits, 0);
}

struct key_row {
	const char *name, *value, *also, *other;
	enum http_error error;
	const char *key;
};

static void reads(const struct dialect *dialect, const struct key_row *rows, size_t count)
{
	struct request request = { .gateway = NULL };
	struct str key;
	size_t i;

	for (i = 0; i < count; i++) {
		stub_gateway_clear();
		if (rows[i].name)
			stub_gateway_param(rows[i].name, rows[i].value);
		if (rows[i].also)
			stub_gateway_param(rows[i].also, rows[i].other);
		assert_int_equal(dialect->read_key(&request, &key), rows[i].error);
		if (!rows[i].error)
			assert_same(key, str_from(rows[i].key));
	}
}

static void where_the_headless_key_is(void **state)
{
	static const struct key_row rows[] = {
		{ "HTTP_X_API_KEY", "a", NULL, NULL, ERROR_NONE, "a" },
		{ "HTTP_X_WIDGET_API_KEY", "b", NULL, NULL, ERROR_NONE, "b" },
		{ "HTTP_X_WIDGET_API_KEY", "b", "HTTP_X_API_KEY", "a", ERROR_NONE, "a" },
		{ "HTTP_X_WIDGET_API_KEY", "b", "HTTP_X_API_KEY", "", ERROR_NO_KEY, NULL },
		{ "HTTP_X_API_KEY", " a ", NULL, NULL, ERROR_NONE, " a " },
		{ "HTTP_AUTHORIZATION", "Bearer a", NULL, NULL, ERROR_NO_KEY, NULL },
		{ NULL, NULL, NULL, NULL, ERROR_NO_KEY, NULL },
	};

	(void)state;
	assert_int_equal(dialect_headless.keys, KEY_SET(KEY_WIDGET));
	reads(&dialect_headless, rows, COUNT(rows));
}

static void where_the_chatbot_key_is(void **state)
{
#define HEADER "HTTP_AUTHORIZATION"
	static const struct key_row rows[] = {
		{ HEADER, "Bearer a", NULL, NULL, ERROR_NONE, "a" },
		{ HEADER, "bEARER   a b", NULL, NULL, ERROR_NONE, "a b" },
		{ HEADER, "Bearer ", NULL, NULL, ERROR_MALFORMED_KEY, NULL },
		{ HEADER, "Bearer    ", NULL, NULL, ERROR_MALFORMED_KEY, NULL },
		{ HEADER, "Bearer", NULL, NULL, ERROR_MALFORMED_KEY, NULL },
		{ HEADER, "Bearera", NULL, NULL, ERROR_MALFORMED_KEY, NULL },
		{ HEADER, "Basic abc", NULL, NULL, ERROR_MALFORMED_KEY, NULL },
		{ HEADER, "", NULL, NULL, ERROR_NO_KEY, NULL },
		{ "HTTP_X_API_KEY", "a", NULL, NULL, ERROR_NO_KEY, NULL },
	};

	(void)state;
	assert_int_equal(dialect_chatbot.keys, KEY_SET(KEY_WORKSPACE));
	reads(&dialect_chatbot, rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(limits_of_an_address),
		cmocka_unit_test(where_the_headless_key_is),
		cmocka_unit_test(where_the_chatbot_key_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
