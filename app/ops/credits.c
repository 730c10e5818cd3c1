/* Credits: giving and taking them, and their ledger. */
#include "ops/credits.h"

#include "ops/call.h"

#define SHOW "select * from banter.credits_show(p_workspace => $1)"

enum status ops_credits_add(struct ops *ops, const char *workspace, int64_t count,
			    struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "credits add",
		      "select banter.credit_add(p_workspace => $1, p_credits => $2)");
	db_add_input(&query, workspace);
	db_add_integer(&query, count);
	return ops_call_change(ops, &query, SHOW, out);
}

enum status ops_credits_show(struct ops *ops, const char *workspace, struct db_rows **out)
{
	return ops_call_rows(ops, "credits show", SHOW, workspace, out);
}

enum status ops_credits_totals(struct ops *ops, struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "credits totals", "select * from banter.credits_totals()");
	return ops_call(ops, &query, out);
}

enum status ops_credits_list(struct ops *ops, const char *workspace, int64_t limit,
			     struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "credits list",
		      "select * from banter.credits_list(p_workspace => $1, p_limit => $2)");
	db_add_input(&query, workspace);
	db_add_integer(&query, limit);
	return ops_call(ops, &query, out);
}
