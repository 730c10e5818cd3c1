/* ops/tenant: somebody to try things as. */
#include "unit_ops.h"

#include "ops/tenant.h"

static const struct ops_tenant tenant = {
	.purpose = "demo",
	.workspace = 42,
	.workspace_name = "Demo",
	.chatbot = "bot-1",
	.chatbot_name = "Bot",
	.system_prompt = "Be kind.",
};

static void a_workspace_and_a_chatbot_are_made(void **state)
{
	(void)state;
	ANSWERS(NOTHING);
	assert_int_equal(ops_tenant_create(&unit_ops.ops, &tenant), STATUS_OK);
	assert_string_equal(journal.text, "demo: select banter.workspace_create(p_workspace => $1,"
					  " p_name => $2, p_credits => null) (42, Demo) "
					  "demo: select banter.chatbot_create(p_workspace => $1,"
					  " p_chatbot => $2, p_name => $3, p_system_prompt => $4)"
					  " (42, bot-1, Bot, Be kind.) ");
	ANSWERS(REFUSES("no"));
	assert_refused(ops_tenant_create(&unit_ops.ops, &tenant), STATUS_REFUSED, "no");
	assert_int_equal(journal_count("demo: "), 1);
}

static void keys_are_stored_by_their_hash(void **state)
{
	struct key key = { .kind = KEY_WIDGET, .workspace = 42 };

	(void)state;
	memset(key.hash, 'h', sizeof(key.hash));
	ANSWERS(NOTHING);
	assert_int_equal(ops_tenant_add_key(&unit_ops.ops, &tenant, &key, "k-1", "x7Qa", NULL),
			 STATUS_OK);
	key.kind = KEY_WORKSPACE;
	assert_int_equal(ops_tenant_add_key(&unit_ops.ops, &tenant, &key, "k-2", "", NULL),
			 STATUS_OK);
	key.kind = KEY_SITE;
	assert_int_equal(ops_tenant_add_key(&unit_ops.ops, &tenant, &key, "k-3", "", "http://a"),
			 STATUS_OK);
	assert_int_equal(journal_count("select banter.key_create(p_workspace => $1,"
				       " p_api_key => $2, p_kind => $3, p_chatbot => $4,"
				       " p_hash => $5, p_hint => $6, p_label => $7,"
				       " p_origins => string_to_array($8, ',')) "),
			 3);
	assert_int_equal(
		journal_count("(42, k-1, 'widget', 'bot-1', 'hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh',"
			      " x7Qa, demo, null) "),
		1);
	assert_int_equal(journal_count("(42, k-2, 'workspace', null, "), 1);
	assert_int_equal(journal_count("(42, k-3, 'site', 'bot-1', "), 1);
	assert_int_equal(journal_count(", demo, http://a) "), 1);
}

static void it_is_removed_with_what_was_said(void **state)
{
	(void)state;
	ANSWERS(NOTHING);
	assert_int_equal(ops_tenant_remove(&unit_ops.ops, &tenant), STATUS_OK);
	assert_int_equal(journal_count("select banter.tenant_remove("), 1);
	assert_int_equal(journal_count(" (42, Demo, Bot) "), 1);

	ANSWERS(NOTHING);
	assert_int_equal(ops_tenant_erase(&unit_ops.ops, "doctor", 42, "s-1"), STATUS_OK);
	assert_int_equal(journal_count("doctor: select banter.sessions_erase("), 1);
	assert_int_equal(journal_count(" (42, s-1) "), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPS_TEST(a_workspace_and_a_chatbot_are_made),
		OPS_TEST(keys_are_stored_by_their_hash),
		OPS_TEST(it_is_removed_with_what_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
