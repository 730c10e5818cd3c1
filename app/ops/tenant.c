/* Tenants to try things with. */
#include "ops/tenant.h"

#include "ops/call.h"
#include "ops/key.h"

static enum status create_workspace(struct ops *ops, const struct ops_tenant *tenant)
{
	struct db_query query;

	db_query_init(&query, tenant->purpose,
		      "select banter.workspace_create("
		      "p_workspace => $1, p_name => $2, p_credits => null)");
	db_add_integer(&query, tenant->workspace);
	db_add_input(&query, tenant->workspace_name);
	return ops_call(ops, &query, NULL);
}

static enum status create_chatbot(struct ops *ops, const struct ops_tenant *tenant)
{
	struct db_query query;

	db_query_init(&query, tenant->purpose,
		      "select banter.chatbot_create("
		      "p_workspace => $1, p_chatbot => $2, p_name => $3, p_system_prompt => $4)");
	db_add_integer(&query, tenant->workspace);
	db_add_input(&query, tenant->chatbot);
	db_add_input(&query, tenant->chatbot_name);
	db_add_input(&query, tenant->system_prompt);
	return ops_call(ops, &query, NULL);
}

enum status ops_tenant_create(struct ops *ops, const struct ops_tenant *tenant)
{
	enum status status = create_workspace(ops, tenant);

	return status ? status : create_chatbot(ops, tenant);
}

enum status ops_tenant_add_key(struct ops *ops, const struct ops_tenant *tenant,
			       const struct key *key, const char *id, const char *hint,
			       const char *origins)
{
	struct str chatbot = key->kind == KEY_WORKSPACE ? STR_NONE : str_from(tenant->chatbot);

	return ops_key_add(ops, tenant->purpose, key, id, chatbot, hint, tenant->purpose, origins);
}

enum status ops_tenant_remove(struct ops *ops, const struct ops_tenant *tenant)
{
	struct db_query query;

	db_query_init(&query, tenant->purpose,
		      "select banter.tenant_remove("
		      "p_workspace => $1, p_name => $2, p_chatbot_name => $3)");
	db_add_integer(&query, tenant->workspace);
	db_add_input(&query, tenant->workspace_name);
	db_add_input(&query, tenant->chatbot_name);
	return ops_call(ops, &query, NULL);
}

enum status ops_tenant_erase(struct ops *ops, const char *purpose, int64_t workspace,
			     const char *session)
{
	struct db_query query;

	db_query_init(&query, purpose,
		      "select banter.sessions_erase(p_workspace => $1, p_session => $2)");
	db_add_integer(&query, workspace);
	db_add_input(&query, session);
	return ops_call(ops, &query, NULL);
}
