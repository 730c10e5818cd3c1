/* http/front_end: where keys are, what names a chatbot and a conversation, and which question counts. */
#include "stub_http.h"

#include "http/front_end.h"

static struct request request;

static void where_the_key_is(void **state)
{
	static const struct {
		const char *name, *value, *bearer;
		enum http_error error;
		const char *key;
	} rows[] = {
		{ "HTTP_X_API_KEY", "a", NULL, ERROR_NONE, "a" },
		{ "HTTP_AUTHORIZATION", "Bearer b", NULL, ERROR_NONE, "b" },
		{ "HTTP_X_API_KEY", "a", "Bearer b", ERROR_NONE, "a" },
		{ "HTTP_X_API_KEY", "", "Bearer b", ERROR_NO_KEY, NULL },
		{ "HTTP_AUTHORIZATION", "Basic b", NULL, ERROR_MALFORMED_KEY, NULL },
		{ "HTTP_X_WIDGET_API_KEY", "a", NULL, ERROR_NO_KEY, NULL },
	};
	struct str key;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		stub_gateway_clear();
		stub_gateway_param(rows[i].name, rows[i].value);
		if (rows[i].bearer)
			stub_gateway_param("HTTP_AUTHORIZATION", rows[i].bearer);
		assert_int_equal(front_end_read_key(&request, &key), rows[i].error);
		if (!rows[i].error)
			assert_same(key, str_from(rows[i].key));
	}
}

static void a_workspace_key_names_its_chatbot(void **state)
{
	static const struct {
		enum key_kind kind;
		const char *session, *chatbot;
		bool bad;
	} rows[] = {
		{ KEY_WIDGET, "s-1", NULL, false },	{ KEY_WIDGET, "s-1", "b-1", false },
		{ KEY_SITE, "s-1", "b-1", false },	{ KEY_WIDGET, NULL, NULL, true },
		{ KEY_WIDGET, "a b", NULL, true },	{ KEY_WORKSPACE, "s-1", "b-1", false },
		{ KEY_WORKSPACE, "s-1", NULL, true },	{ KEY_WORKSPACE, "s-1", "", true },
		{ KEY_WORKSPACE, "s-1", "\xff", true }, { KEY_WORKSPACE, "", "b-1", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct exchange exchange = { .request = &request };
		const struct store_exchange *begin = &exchange.turn.begin;
		bool named = rows[i].kind == KEY_WORKSPACE && rows[i].chatbot &&
			     rows[i].chatbot[0] == 'b';

		stub_gateway_clear();
		if (rows[i].chatbot)
			stub_gateway_param("HTTP_X_CHATBOT_ID", rows[i].chatbot);
		exchange.turn.begin.key.kind = rows[i].kind;
		front_end_read_names(&exchange,
				     rows[i].session ? str_from(rows[i].session) : STR_NONE);
		assert_int_equal(exchange.bad, rows[i].bad);
		assert_int_equal(begin->completion, named);
		assert_int_equal(begin->chatbot.p != NULL, named);
		if (!rows[i].bad)
			assert_str(begin->session, "s-1");
	}
}

static void a_name_in_a_path(void **state)
{
	static const struct {
		const char *path, *name; /* NULL: it is none */
	} rows[] = {
		{ "/s-1/x", "s-1" },   { "/a%3Ab%3a/x", "a:b:" }, { "/a:b/x", "a:b" },
		{ "/a%20b/x", NULL },  { "/%3/x", NULL },	  { "/%/x", NULL },
		{ "/a%3A%3/x", NULL },
	};
	static const struct route route = { .path = "/{session}/x" };
	char room[FRONT_END_NAME + 1], path[3 * FRONT_END_NAME];
	struct route_match match;
	struct str name;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_true(route_matches(&route, str_from(rows[i].path), &match));
		name = front_end_name(&match, room);
		assert_int_equal(name.p != NULL, rows[i].name != NULL);
		if (rows[i].name)
			assert_same(name, str_from(rows[i].name));
	}
	for (i = 127; i < 131; i++) {
		snprintf(path, sizeof(path), "/%0*d/x", (int)i, 0);
		assert_true(route_matches(&route, str_from(path), &match));
		assert_int_equal(front_end_name(&match, room).n, i <= 128 ? i : 0);
	}
}

static void the_last_question_alone_counts(void **state)
{
#define USER(members) "{\"role\":\"user\"," members "}"
	static const struct {
		const char *messages;
		size_t count;
		const char *text; /* NULL: it is bad */
	} rows[] = {
		{ USER("\"content\":\"a\""), 1, "a" },
		{ USER("\"text\":\"a\""), 1, "a" },
		{ USER("\"parts\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"file\"},"
		       "{\"type\":\"text\",\"text\":\"b\"}]"),
		  1, "a\nb" },
		{ USER("\"parts\":[{\"type\":\"text\",\"text\":\"a\"}],\"content\":\"b\""), 1,
		  "a" },
		{ USER("\"text\":\"a\"") ",{\"role\":\"assistant\",\"text\":\"b\"}," USER(
			  "\"text\":\"c\""),
		  3, "c" },
		{ USER("\"text\":\"a\"") ",{\"role\":\"assistant\",\"text\":\"b\"}," USER(
			  "\"text\":\"c\""),
		  2, "a" },
		{ USER("\"text\":\"a\"") ",{\"role\":\"system\",\"text\":\"b\"},7,[]", 4, "a" },
		{ USER("\"text\":\"a\"") "," USER("\"parts\":[{\"type\":\"file\"}]"), 2, NULL },
		{ USER("\"text\":\"\""), 1, NULL },
		{ USER("\"text\":7"), 1, NULL },
		{ "{\"role\":\"assistant\",\"text\":\"b\"}", 1, NULL },
		{ "", 0, NULL },
	};
	struct buf document;
	size_t i;

	(void)state;
	buf_init(&document, 10000);
	for (i = 0; i < COUNT(rows); i++) {
		struct exchange exchange = { .request = &request };

		buf_undo(&document, 0);
		buf_printf(&document, "{\"k\":[%s]}", rows[i].messages);
		assert_int_equal(json_parse(buf_view(&document), &exchange.json), STATUS_OK);
		front_end_read_question(&exchange, exchange_member(&exchange, "k"), rows[i].count);
		assert_int_equal(exchange.bad, !rows[i].text);
		assert_false(exchange.failed);
		if (rows[i].text)
			assert_same(exchange.turn.begin.message, str_from(rows[i].text));
		completion_clear(&exchange.said);
		json_free(exchange.json);
	}
	buf_clear(&document);
}

static void what_is_said_has_4000_characters_at_most(void **state)
{
	char text[4002];
	struct exchange exchange = { .request = &request };

	(void)state;
	memset(text, 'x', sizeof(text));
	exchange_take_message(&exchange, (struct str){ text, 4000 });
	assert_int_equal(exchange.turn.begin.message.n, 4000);
	assert_false(exchange.bad);
	exchange_take_message(&exchange, (struct str){ text, 4001 });
	assert_true(exchange.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_the_key_is),
		cmocka_unit_test(a_workspace_key_names_its_chatbot),
		cmocka_unit_test(a_name_in_a_path),
		cmocka_unit_test(the_last_question_alone_counts),
		cmocka_unit_test(what_is_said_has_4000_characters_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
