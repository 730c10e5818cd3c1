/* http/route: which path is whose, what a name in it stands for, and whose words a stray one gets. */
#include "unit.h"

#include "http/agui.h"
#include "http/attach.h"
#include "http/chatbot.h"
#include "http/deep_chat.h"
#include "http/description.h"
#include "http/exchange.h"
#include "http/headless.h"
#include "http/health.h"
#include "http/n8n.h"
#include "http/openai.h"
#include "http/route.h"
#include "http/talks.h"
#include "http/ui.h"
#include "http/web.h"

static void every_path_of_ours(void **state)
{
	static const struct {
		struct str path;
		route_handler_fn handle;
		const struct dialect *dialect;
		unsigned flags;
	} rows[] = {
		{ STR("/health"), health_serve, &dialect_headless, ROUTE_STATUS },
		{ STR("/v1/openapi.json"), description_serve, &dialect_headless, 0 },
		{ STR("/banter.js"), web_serve_loader, &dialect_headless, 0 },
		{ STR("/banter/0/widget.js"), web_serve_file, &dialect_headless, 0 },
		{ STR("/v1/chat"), exchange_serve, &dialect_headless,
		  ROUTE_WHOLE | ROUTE_VISITORS },
		{ STR("/v1/chat/stream"), exchange_serve, &dialect_headless,
		  ROUTE_STREAM | ROUTE_VISITORS },
		{ STR("/chat"), exchange_serve, &dialect_headless, ROUTE_STREAM | ROUTE_VISITORS },
		{ STR("/v1/chat/conversations"), talks_serve_list, &dialect_headless,
		  ROUTE_VISITORS },
		{ STR("/v1/chat/conversations/c-1"), talks_serve_delete, &dialect_headless,
		  ROUTE_VISITORS },
		{ STR("/v1/chat/conversations/c-1/messages"), talks_serve_messages,
		  &dialect_headless, ROUTE_VISITORS },
		{ STR("/api/v1/chatbots/b-1/chat"), exchange_serve, &dialect_chatbot, 0 },
		{ STR("/api/v1/chatbots/b-1/conversations"), talks_serve_list, &dialect_chatbot,
		  0 },
		{ STR("/api/v1/chatbots/b-1/conversations/c-1"), talks_serve_delete,
		  &dialect_chatbot, 0 },
		{ STR("/v1/chat/conversations/c-1/messages/m-1/feedback"), talks_serve_feedback,
		  &dialect_headless, ROUTE_VISITORS },
		{ STR("/api/v1/chatbots/b-1/conversations/c-1/messages/m-1/feedback"),
		  talks_serve_feedback, &dialect_chatbot, 0 },
		{ STR("/v1/chat/conversations/c-1/stop"), talks_serve_stop, &dialect_headless,
		  ROUTE_VISITORS },
		{ STR("/api/v1/chatbots/b-1/conversations/c-1/stop"), talks_serve_stop,
		  &dialect_chatbot, 0 },
		{ STR("/v1/chat/conversations/c-1/stream"), attach_serve, &dialect_headless,
		  ROUTE_VISITORS },
		{ STR("/api/v1/chatbots/b-1/conversations/c-1/stream"), attach_serve,
		  &dialect_chatbot, 0 },
		{ STR("/api/v1/chatbots/b-1/conversations/c-1/messages"), talks_serve_messages,
		  &dialect_chatbot, 0 },
		{ STR("/v1/ui"), exchange_serve, &dialect_ui, ROUTE_STREAM | ROUTE_VISITORS },
		{ STR("/v1/ui/c-1/stream"), ui_serve_stream, &dialect_ui,
		  ROUTE_VISITORS | ROUTE_PRIVATE },
		{ STR("/v1/ag-ui"), exchange_serve, &dialect_agui, ROUTE_STREAM | ROUTE_VISITORS },
		{ STR("/v1/deep-chat"), exchange_serve, &dialect_deep_chat, ROUTE_VISITORS },
		{ STR("/v1/n8n"), exchange_serve, &dialect_n8n, ROUTE_VISITORS },
	};
	struct route_match match;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_true(route_find(rows[i].path, &match));
		assert_ptr_equal(match.route->handle, rows[i].handle);
		assert_ptr_equal(match.route->dialect, rows[i].dialect);
		assert_int_equal(match.route->flags, rows[i].flags);
	}
}

static void no_path_of_ours(void **state)
{
	static const struct str paths[] = {
		STR_NONE,
		STR(""),
		STR("/"),
		STR("//"),
		STR("/chat/"),
		STR("/chatx"),
		STR("/cha"),
		STR("chat"),
		STR("//chat"),
		STR("/Chat"),
		STR("/%63hat"),
		STR("/chat\0"),
		STR("/v1"),
		STR("/v1/chat/"),
		STR("/v1/chat/stream/x"),
		STR("/banter"),
		STR("/banter/widget.js"),
		STR("/banter//widget.js"),
		STR("/banter/0/a/widget.js"),
		STR("/api/"),
		STR("/api/v1/chatbots/chat"),
		STR("/api/v1/chatbots//chat"),
		STR("/api/v1/chatbots/a/b/chat"),
		STR("/api/v1/chatbots/a/chat/"),
		STR("/api/v1/chatbots/a"),
		STR("/api/v1/chatbots/a/"),
		STR("/api/v1/chatbots/{chatbot}"),
	};
	struct route_match match;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(paths); i++)
		assert_false(route_find(paths[i], &match));
}

static void names_stand_for_one_segment(void **state)
{
	static const struct route route = { .path = "/a/{one}/b/{two}" };
	static const struct route last = { .path = "/files/{name}" };
	static const struct route within = { .path = "/x-{name}/end" };
	static const struct route five = { .path = "/{a}/{b}/{c}/{d}/{e}" };
	struct route_match match;

	(void)state;
	assert_true(route_matches(&route, STR("/a/%2F*/b/2"), &match));
	assert_ptr_equal(match.route, &route);
	assert_int_equal(match.count, 2);
	assert_str(route_variable(&match, "one"), "%2F*");
	assert_str(route_variable(&match, "two"), "2");
	assert_null(route_variable(&match, "three").p);
	assert_null(route_variable(&match, "on").p);
	assert_false(route_matches(&route, STR("/a/1/b/"), &match));
	assert_false(route_matches(&route, STR("/a//b/2"), &match));
	assert_false(route_matches(&route, STR("/a/1/c/2"), &match));
	assert_false(route_matches(&route, STR("/a/1/b/2/"), &match));
	assert_true(route_matches(&last, STR("/files/x.css"), &match));
	assert_str(route_variable(&match, "name"), "x.css");
	assert_false(route_matches(&last, STR("/files/"), &match));
	assert_true(route_matches(&within, STR("/x-1/end"), &match));
	assert_str(route_variable(&match, "name"), "1");
	/* More names than there is room for match nothing, rather than too little. */
	assert_false(route_matches(&five, STR("/1/2/3/4/5"), &match));
}

static void methods(void **state)
{
	static const struct route route = { .methods = "GET, HEAD" };

	(void)state;
	assert_true(route_allows(&route, STR("GET")));
	assert_true(route_allows(&route, STR("HEAD")));
	assert_false(route_allows(&route, STR("POST")));
	assert_false(route_allows(&route, STR("get")));
	assert_false(route_allows(&route, STR("GET, HEAD")));
	assert_false(route_allows(&route, STR("")));
	assert_false(route_allows(&route, STR_NONE));
}

static void a_stray_path_is_refused_in_the_words_of_its_prefix(void **state)
{
	static const struct {
		struct str path;
		const struct dialect *dialect;
	} rows[] = {
		{ STR("/api/"), &dialect_chatbot },
		{ STR("/api/v2/x"), &dialect_chatbot },
		{ STR("/api"), &dialect_headless },
		{ STR("/apis/"), &dialect_headless },
		{ STR("/x/api/"), &dialect_headless },
		{ STR("/"), &dialect_headless },
		{ STR(""), &dialect_headless },
		{ STR_NONE, &dialect_headless },
		{ STR("/v1/chat/x"), &dialect_headless },
		{ STR("/v1/chat/completions/x"), &dialect_openai },
		{ STR("/v1/models/x"), &dialect_openai },
		{ STR("/v1/ui/x"), &dialect_ui },
		{ STR("/v1/ag-ui/x"), &dialect_agui },
		{ STR("/v1/deep-chat/x"), &dialect_deep_chat },
		{ STR("/v1/n8n/x"), &dialect_n8n },
		{ STR("/v1/n8nx"), &dialect_headless },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_ptr_equal(route_dialect(rows[i].path), rows[i].dialect);
}

static void the_table_is_its_rows(void **state)
{
	size_t count = 0;
	struct route_match match;

	(void)state;
	for (; route_at(count); count++)
		if (!strchr(route_at(count)->path, '{')) {
			assert_true(route_find(str_from(route_at(count)->path), &match));
			assert_ptr_equal(match.route, route_at(count));
		}
	assert_true(count > 0);
	assert_null(route_at(count + 1));
}

static void the_last_prefix_takes_every_path(void **state)
{
	size_t count = 0;

	(void)state;
	while (route_prefix_at(count))
		count++;
	assert_true(count > 0);
	assert_string_equal(route_prefix_at(count - 1)->prefix, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_of_ours),
		cmocka_unit_test(no_path_of_ours),
		cmocka_unit_test(names_stand_for_one_segment),
		cmocka_unit_test(methods),
		cmocka_unit_test(a_stray_path_is_refused_in_the_words_of_its_prefix),
		cmocka_unit_test(the_table_is_its_rows),
		cmocka_unit_test(the_last_prefix_takes_every_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
