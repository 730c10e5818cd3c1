/* Deleting a workspace or a chatbot in steps, each a transaction of its own. */
#include "ops/removal.h"

#include "ops/call.h"

#define STEP 1000 /* rows */

/* The columns of banter.removal_step(). */
enum { REMOVED, NEXT, ENDED };

enum status ops_removal_question(struct ops *ops, const char *workspace, const char *chatbot,
				 struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "deleting",
		      "select workspace, chatbot, entries, question from banter.removal_question("
		      "p_workspace => $1, p_chatbot => $2)");
	db_add_input(&query, workspace);
	db_add_input(&query, chatbot);
	return ops_call(ops, &query, out);
}

enum status ops_removal_begin(struct ops *ops, const struct ops_removal *which)
{
	struct db_query query;

	db_query_init(&query, "deleting",
		      "select banter.removal_begin(p_workspace => $1, p_chatbot => $2)");
	db_add_input(&query, which->workspace);
	db_add_input(&query, which->chatbot);
	return ops_call(ops, &query, NULL);
}

enum status ops_removal_step(struct ops *ops, const struct ops_removal *which,
			     struct ops_removing *removing)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;

	db_query_init(&query, "deleting",
		      "select removed, next, ended from banter.removal_step(p_workspace => $1,"
		      " p_chatbot => $2, p_keep_totals => $3, p_after => $4, p_limit => $5)");
	db_add_input(&query, which->workspace);
	db_add_input(&query, which->chatbot);
	db_add_boolean(&query, which->keep_totals);
	db_add_input(&query, db_rows_text(removing->last, 0, NEXT).p);
	db_add_integer(&query, STEP);
	status = ops_call(ops, &query, &rows);
	if (status)
		return status;
	removing->entries += db_rows_integer(rows, 0, REMOVED, 0);
	removing->ended = db_rows_boolean(rows, 0, ENDED);
	db_rows_free(removing->last);
	removing->last = rows;
	return STATUS_OK;
}

void ops_removal_end(struct ops_removing *removing)
{
	db_rows_free(removing->last);
	removing->last = NULL;
}
