/* Workspaces. What may be set to what, the database knows (setting_rules). */
#include "ops/workspace.h"

#include "base/secret.h"
#include "ops/call.h"

#define SHOW "select * from banter.workspace_show(p_workspace => $1)"

int64_t ops_workspace_number(void)
{
	int64_t number;

	secret_random(&number, sizeof(number));
	return number & INT64_MAX;
}

enum status ops_workspace_create(struct ops *ops, const char *name, const char *settings,
				 struct db_rows **out)
{
	struct db_query query;
	enum status status;

	status = ops_call_judge(ops, "workspace create", "workspace", settings, name);
	if (status)
		return status;
	db_query_init(&query, "workspace create",
		      "select banter.workspace_new("
		      "p_workspace => $1, p_name => $2, p_changes => $3)");
	db_add_integer(&query, ops_workspace_number());
	db_add_input(&query, name);
	db_add_input(&query, settings);
	return ops_call_change(ops, &query, SHOW, out);
}

enum status ops_workspace_list(struct ops *ops, struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "workspace list", "select * from banter.workspace_list()");
	return ops_call(ops, &query, out);
}

enum status ops_workspace_show(struct ops *ops, const char *workspace, struct db_rows **out)
{
	return ops_call_rows(ops, "workspace show", SHOW, workspace, out);
}

enum status ops_workspace_set(struct ops *ops, const char *workspace, const char *settings,
			      struct db_rows **out)
{
	struct db_query query;
	enum status status = ops_call_judge(ops, "workspace set", "workspace", settings, NULL);

	if (status)
		return status;
	db_query_init(&query, "workspace set",
		      "select banter.workspace_set(p_workspace => $1, p_changes => $2)");
	db_add_input(&query, workspace);
	db_add_input(&query, settings);
	return ops_call_change(ops, &query, SHOW, out);
}

enum status ops_workspace_question(struct ops *ops, const char *workspace, struct db_rows **out)
{
	return ops_call_rows(ops, "workspace revoke",
			     "select * from banter.workspace_question(p_workspace => $1)",
			     workspace, out);
}

enum status ops_workspace_revoke(struct ops *ops, const char *workspace, struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "workspace revoke",
		      "select banter.workspace_set("
		      "p_workspace => $1, p_changes => '{\"active\":\"no\"}')");
	db_add_input(&query, workspace);
	return ops_call_change(ops, &query, SHOW, out);
}
