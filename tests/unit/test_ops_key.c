/* ops/key: a key's making, and what it says to the database. */
#include "unit_ops.h"

#include "chat/key.h"
#include "ops/key.h"

#define SHOW "select * from banter.key_show(p_key => $1)"
#define JUDGE "select banter.settings_refusal(p_what => $1, p_changes => $2, p_name => $3)"

static const struct stub_row changed[] = { { { "its-id" } } };
static const struct stub_row shown[] = { { { "its-id", "its name" } } };
static const struct stub_row wrong[] = { { { "price must be a number" } } };

static void show_and_list_take_a_name(void **state)
{
	struct db_rows *rows = NULL, *more = NULL;

	(void)state;
	ANSWERS(ROWS(shown));
	assert_int_equal(ops_key_show(&unit_ops.ops, "Name", &rows), STATUS_OK);
	assert_int_equal(ops_key_list(&unit_ops.ops, "Shop", &more), STATUS_OK);
	assert_string_equal(journal.text,
			    "key show: " SHOW " (Name) "
			    "key list: select * from banter.key_list(p_workspace => $1) (Shop) ");
	db_rows_free(rows);
	db_rows_free(more);
}

static void set_judges_and_shows(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, ROWS(changed), ROWS(shown));
	assert_int_equal(ops_key_set(&unit_ops.ops, "Name", "{}", &rows), STATUS_OK);
	assert_string_equal(
		journal.text,
		"key set: " JUDGE " (key, {}, null) "
		"key set: select banter.key_set(p_key => $1, p_changes => $2) (Name, {}) "
		"key set: " SHOW " (its-id) ");
	db_rows_free(rows);
	rows = NULL;

	ANSWERS(ROWS(wrong));
	assert_refused(ops_key_set(&unit_ops.ops, "Name", "{}", &rows), STATUS_INVALID,
		       "price must be a number");
	assert_int_equal(journal_count("key set"), 1);
}

static void revoke_asks_first(void **state)
{
	struct db_rows *asked = NULL, *rows = NULL;

	(void)state;
	ANSWERS(ROWS(changed), ROWS(changed), ROWS(shown));
	assert_int_equal(ops_key_question(&unit_ops.ops, "Name", &asked), STATUS_OK);
	assert_int_equal(ops_key_revoke(&unit_ops.ops, db_rows_text(asked, 0, 0).p, &rows),
			 STATUS_OK);
	assert_string_equal(journal.text,
			    "key revoke: select * from banter.key_question(p_key => $1) (Name) "
			    "key revoke: select banter.key_revoke(p_key => $1) (its-id) "
			    "key revoke: " SHOW " (its-id) ");
	db_rows_free(asked);
	db_rows_free(rows);
}

static void a_refusal_comes_back_in_words(void **state)
{
	struct db_rows *rows = NULL;

	(void)state;
	ANSWERS(NOTHING, REFUSES("there is no key \"Name\""));
	assert_refused(ops_key_set(&unit_ops.ops, "Name", "{}", &rows), STATUS_REFUSED,
		       "there is no key \"Name\"");
	assert_null(rows);

	ANSWERS(FAILS(STATUS_UNAVAILABLE));
	assert_int_equal(ops_key_show(&unit_ops.ops, "Name", &rows), STATUS_UNAVAILABLE);
	assert_null(rows);
}

#define LABEL                                                                                      \
	"key create: select banter.settings_refusal(p_what => 'key', p_changes =>"                 \
	" json_strip_nulls(json_build_object('label', coalesce($1::text, ''),"                     \
	" 'origins', $2::text)), p_name => null) "
#define PLACE "key create: select * from banter.key_place(p_chatbot => $1, p_workspace => $2) "

static const struct stub_row place[] = { { { "42", "its-chatbot" } } };
static const struct stub_row workspace_place[] = { { { "42", NULL } } };

/* It counts when it is stored, not before; the database never sees its text. */
static void a_key_is_made_then_stored(void **state)
{
	const struct ops_key_request request = { .chatbot = "Bot", .label = "a site" };
	struct ops_key key;
	struct key read;

	(void)state;
	ANSWERS(NOTHING, ROWS(place), NOTHING);
	assert_int_equal(ops_key_prepare(&unit_ops.ops, &request, &key), STATUS_OK);
	assert_string_equal(journal.text, LABEL "(a site, null) " PLACE "(Bot, null) ");
	assert_int_equal(key_read(KEY_WIDGET, str_from(key.text), &read), STATUS_OK);
	assert_int_equal(read.workspace, 42);
	assert_string_equal(key.id, "a-new-id");

	journal_clear();
	assert_int_equal(ops_key_store(&unit_ops.ops, &key), STATUS_OK);
	assert_non_null(strstr(journal.text,
			       "key create: select banter.key_create(p_workspace => $1,"
			       " p_api_key => $2, p_kind => $3, p_chatbot => $4, p_hash => $5,"
			       " p_hint => $6, p_label => $7,"
			       " p_origins => string_to_array($8, ',')) (42, a-new-id, 'widget',"
			       " 'its-chatbot', 32 bytes, "));
	assert_non_null(strstr(journal.text, key.text + strlen(key.text) - 4));
	assert_null(strstr(journal.text, key.text));
	ops_key_clear(&key);
	assert_int_equal(key.text[0], '\0');
}

static void a_workspace_s_key_has_no_chatbot(void **state)
{
	const struct ops_key_request request = { .workspace = "Shop" };
	struct ops_key key;

	(void)state;
	ANSWERS(NOTHING, ROWS(workspace_place), NOTHING);
	assert_int_equal(ops_key_prepare(&unit_ops.ops, &request, &key), STATUS_OK);
	assert_string_equal(journal.text, LABEL "(null, null) " PLACE "(null, Shop) ");
	journal_clear();
	assert_int_equal(ops_key_store(&unit_ops.ops, &key), STATUS_OK);
	assert_non_null(strstr(journal.text, "(42, a-new-id, 'workspace', null, 32 bytes, "));
	ops_key_clear(&key);
}

static void a_site_key_has_its_origins(void **state)
{
	const struct ops_key_request request = { .chatbot = "Bot",
						 .origins = "https://a,https://b" };
	struct ops_key key;
	struct key read;

	(void)state;
	ANSWERS(NOTHING, ROWS(place), NOTHING);
	assert_int_equal(ops_key_prepare(&unit_ops.ops, &request, &key), STATUS_OK);
	assert_string_equal(journal.text,
			    LABEL "(null, https://a,https://b) " PLACE "(Bot, null) ");
	assert_int_equal(key_read(KEY_SITE, str_from(key.text), &read), STATUS_OK);
	journal_clear();
	assert_int_equal(ops_key_store(&unit_ops.ops, &key), STATUS_OK);
	assert_non_null(strstr(journal.text, "(42, a-new-id, 'site', 'its-chatbot', 32 bytes, "));
	assert_non_null(strstr(journal.text, ", https://a,https://b)"));
	ops_key_clear(&key);
}

static void an_identity_secret_goes_as_its_pads(void **state)
{
	struct ops_key_secret secret;

	(void)state;
	ops_key_secret_new(&secret);
	assert_true(str_starts(str_from(secret.text), STR("sk-identity_")));
	assert_true(strlen(secret.text) <= OPS_KEY_PAD);
	assert_int_equal(secret.inner[0] ^ 0x36, 's');
	assert_int_equal(secret.outer[0] ^ 0x5c, 's');
	assert_int_equal(secret.inner[OPS_KEY_PAD - 1], 0x36);
	assert_int_equal(secret.outer[OPS_KEY_PAD - 1], 0x5c);
	ANSWERS(NOTHING);
	assert_int_equal(ops_key_identity(&unit_ops.ops, "x7Qa", &secret), STATUS_OK);
	assert_non_null(strstr(journal.text, "banter.key_identity(p_key => $1, p_inner => $2,"
					     " p_outer => $3) (x7Qa, "));
	assert_null(strstr(journal.text, secret.text));
	ops_key_secret_clear(&secret);
	assert_int_equal(secret.text[0], '\0');
}

static void no_key_is_made_of_what_is_wrong(void **state)
{
	const struct ops_key_request request = { .chatbot = "Bot" };
	struct ops_key key;

	(void)state;
	ANSWERS(ROWS(wrong));
	assert_refused(ops_key_prepare(&unit_ops.ops, &request, &key), STATUS_INVALID,
		       "price must be a number");
	assert_int_equal(key.text[0], '\0');
	ops_key_clear(&key);

	ANSWERS(NOTHING, REFUSES("there is no chatbot"));
	assert_refused(ops_key_prepare(&unit_ops.ops, &request, &key), STATUS_REFUSED,
		       "there is no chatbot");
	assert_int_equal(key.text[0], '\0');
	ops_key_clear(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(show_and_list_take_a_name),
		OPS_TEST(set_judges_and_shows),
		OPS_TEST(revoke_asks_first),
		OPS_TEST(a_refusal_comes_back_in_words),
		OPS_TEST(a_key_is_made_then_stored),
		OPS_TEST(a_workspace_s_key_has_no_chatbot),
		OPS_TEST(a_site_key_has_its_origins),
		OPS_TEST(an_identity_secret_goes_as_its_pads),
		OPS_TEST(no_key_is_made_of_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
