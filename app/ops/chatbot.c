/* Chatbots. What may be set to what, the database knows (setting_rules). */
#include "ops/chatbot.h"

#include "base/secret.h"
#include "ops/call.h"

#define SHOW "select * from banter.chatbot_show(p_chatbot => $1)"

enum status ops_chatbot_create(struct ops *ops, const char *workspace, const char *name,
			       const char *settings, struct db_rows **out)
{
	char id[SECRET_ID_SIZE];
	struct db_query query;
	enum status status;

	status = ops_call_judge(ops, "chatbot create", "chatbot", settings, name);
	if (status)
		return status;
	secret_new_id(id);
	db_query_init(&query, "chatbot create",
		      "select banter.chatbot_new("
		      "p_workspace => $1, p_chatbot => $2, p_name => $3, p_changes => $4)");
	db_add_input(&query, workspace);
	db_add_input(&query, id);
	db_add_input(&query, name);
	db_add_input(&query, settings);
	return ops_call_change(ops, &query, SHOW, out);
}

enum status ops_chatbot_list(struct ops *ops, const char *workspace, struct db_rows **out)
{
	return ops_call_rows(ops, "chatbot list",
			     "select * from banter.chatbot_list(p_workspace => $1)", workspace,
			     out);
}

enum status ops_chatbot_show(struct ops *ops, const char *chatbot, struct db_rows **out)
{
	return ops_call_rows(ops, "chatbot show", SHOW, chatbot, out);
}

enum status ops_chatbot_set(struct ops *ops, const char *chatbot, const char *settings,
			    struct db_rows **out)
{
	struct db_query query;
	enum status status = ops_call_judge(ops, "chatbot set", "chatbot", settings, NULL);

	if (status)
		return status;
	db_query_init(&query, "chatbot set",
		      "select banter.chatbot_set(p_chatbot => $1, p_changes => $2)");
	db_add_input(&query, chatbot);
	db_add_input(&query, settings);
	return ops_call_change(ops, &query, SHOW, out);
}

enum status ops_chatbot_question(struct ops *ops, const char *chatbot, struct db_rows **out)
{
	return ops_call_rows(ops, "chatbot revoke",
			     "select * from banter.chatbot_question(p_chatbot => $1)", chatbot,
			     out);
}

enum status ops_chatbot_revoke(struct ops *ops, const char *chatbot, struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "chatbot revoke",
		      "select banter.chatbot_set("
		      "p_chatbot => $1, p_changes => '{\"active\":\"no\"}')");
	db_add_input(&query, chatbot);
	return ops_call_change(ops, &query, SHOW, out);
}
