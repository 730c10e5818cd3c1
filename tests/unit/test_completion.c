/* chat/completion: the messages of a client that keeps its conversation itself. */
#include "stub_journal.h"

#include "chat/completion.h"

/* What is read of {"k": TEXT}, as a line. */
static const char *read_all(const char *text)
{
	struct completion_said said = { .messages = NULL };
	struct json *json = NULL;
	enum status status;
	struct buf document;
	size_t i;

	journal_clear();
	buf_init(&document, 10000);
	buf_printf(&document, "{\"k\":%s}", text);
	assert_int_equal(json_parse(buf_view(&document), &json), STATUS_OK);
	status = completion_read(json_member(json_root(json), "k"), &said);
	if (status) {
		note("%s", status_name(status));
	} else {
		if (said.system.p)
			note("S(%.*s) ", STR_ARGS(said.system));
		for (i = 0; i < said.count; i++)
			note("%c(%.*s) ", "UA"[said.messages[i].assistant],
			     STR_ARGS(said.messages[i].text));
		note("? %.*s", STR_ARGS(said.message));
	}
	completion_clear(&said);
	json_free(json);
	buf_clear(&document);
	return journal.text;
}

#define USER(text) "{\"role\":\"user\",\"content\":" text "}"
#define ASSISTANT(text) "{\"role\":\"assistant\",\"content\":" text "}"
#define SYSTEM(text) "{\"role\":\"system\",\"content\":" text "}"
#define TEXT(text) "{\"type\":\"text\",\"text\":" text "}"

static void the_last_question_and_what_precedes_it(void **state)
{
	(void)state;
	assert_string_equal(read_all("[" USER("\"a\"") "]"), "? a");
	assert_string_equal(read_all("[" USER("\"a\"") "," ASSISTANT("\"b\"") "," USER(
				    "\"c\"") "," ASSISTANT("\"d\"") "]"),
			    "U(a) A(b) ? c");
	assert_string_equal(read_all("[" USER("\"a\"") "," USER("\"b\"") "]"), "U(a) ? b");
}

static void texts_in_pieces_are_joined(void **state)
{
	(void)state;
	assert_string_equal(read_all("[" USER("[" TEXT("\"a\"") "]") "]"), "? a");
	assert_string_equal(
		read_all(
			"[" USER("[" TEXT("\"a\"") ",{\"type\":\"image_url\"}," TEXT("\"b\"") "]") "," ASSISTANT(
				"[" TEXT("\"c\"") "," TEXT("\"\"") "," TEXT(
					"\"d\"") "]") "," USER("\"e\"") "]"),
		"U(a\nb) A(c\n\nd) ? e");
	assert_string_equal(read_all("[" USER("\"a\"") "," ASSISTANT("null") "," USER(
				    "[" TEXT("\"b\"") "," TEXT("\"c\"") "]") "]"),
			    "U(a) ? b\nc");
}

static void what_the_model_would_be_told_stands_apart(void **state)
{
	(void)state;
	assert_string_equal(read_all("[" SYSTEM("\"s\"") "," USER("\"a\"") "]"), "S(s) ? a");
	assert_string_equal(read_all("[" USER("\"a\"") "," SYSTEM("[" TEXT("\"s\"") "," TEXT(
				    "\"t\"") "]") ",{\"role\":\"developer\",\"content\":\"u\"}]"),
			    "S(s\nt\n\nu) ? a");
}

static void others_are_skipped(void **state)
{
	(void)state;
	assert_string_equal(
		read_all("[{\"role\":\"user\"}," USER("7") "," USER("[]") "," USER(
			"[7,{},{\"type\":"
			"\"text\"}]") "," USER("\"a\"") ","
							"{\"role\":\"tool\",\"content\":\"t\"},7,"
							"null,\"x\",[],{"
							"\"content\":\"y\"},{\"role\":1}"
							"," ASSISTANT("\"\"") "," ASSISTANT(
								"{}") "]"),
		"? a");
}

static void without_a_question_it_is_none(void **state)
{
	static const char *const none[] = {
		"[]",
		"{}",
		"\"x\"",
		"null",
		"[" ASSISTANT("\"a\"") "]",
		"[" SYSTEM("\"a\"") "]",
		"[" USER("\"\"") "]",
		"[" USER("[]") "]",
		"[" USER("\"a\"") "," ASSISTANT("\"b\"") "," USER("null") "]",
		"[[]]",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(none); i++)
		assert_string_equal(read_all(none[i]), status_name(STATUS_INVALID));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_question_and_what_precedes_it),
		cmocka_unit_test(texts_in_pieces_are_joined),
		cmocka_unit_test(what_the_model_would_be_told_stands_apart),
		cmocka_unit_test(others_are_skipped),
		cmocka_unit_test(without_a_question_it_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
