/* Erasing conversations in steps, each a transaction of its own. */
#include "ops/erasure.h"

#include "ops/call.h"

#define STEP 100

/* The columns of banter.conversation_erase(). */
enum { CONVERSATIONS, EXCHANGES, NEXT_WORKSPACE, NEXT_CONVERSATION };

static void add_choice(struct db_query *query, const struct ops_erasure *which)
{
	db_add_input(query, which->conversations);
	db_add_input(query, which->chatbot);
	db_add_input(query, which->session);
	db_add_input(query, which->metadata);
	db_add_input(query, which->age);
	db_add_boolean(query, which->retention);
	db_add_input(query, which->visitor);
	db_add_input(query, which->user);
}

enum status ops_erasure_count(struct ops *ops, const struct ops_erasure *which,
			      struct ops_erased *out)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;

	db_query_init(&query, "counting",
		      "select conversations, exchanges, running from"
		      " banter.conversation_erase_count(p_conversations => $1, p_chatbot => $2,"
		      " p_session => $3, p_metadata => $4, p_age => $5, p_retention => $6,"
		      " p_visitor => $7, p_user => $8)");
	add_choice(&query, which);
	status = ops_call(ops, &query, &rows);
	if (status == STATUS_OK)
		*out = (struct ops_erased){
			.conversations = db_rows_integer(rows, 0, 0, 0),
			.exchanges = db_rows_integer(rows, 0, 1, 0),
			.running = db_rows_integer(rows, 0, 2, 0),
		};
	db_rows_free(rows);
	return status;
}

enum status ops_erasure_step(struct ops *ops, const struct ops_erasure *which,
			     struct ops_erasing *erasing)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;

	db_query_init(&query, "deleting",
		      "select conversations, exchanges, next_workspace, next_conversation from"
		      " banter.conversation_erase(p_conversations => $1, p_chatbot => $2,"
		      " p_session => $3, p_metadata => $4, p_age => $5, p_retention => $6,"
		      " p_visitor => $7, p_user => $8, p_after_workspace => $9,"
		      " p_after_conversation => $10, p_limit => $11)");
	add_choice(&query, which);
	db_add_input(&query, db_rows_text(erasing->last, 0, NEXT_WORKSPACE).p);
	db_add_input(&query, db_rows_text(erasing->last, 0, NEXT_CONVERSATION).p);
	db_add_integer(&query, STEP);
	status = ops_call(ops, &query, &rows);
	if (status)
		return status;
	erasing->erased.conversations += db_rows_integer(rows, 0, CONVERSATIONS, 0);
	erasing->erased.exchanges += db_rows_integer(rows, 0, EXCHANGES, 0);
	erasing->ended = !db_rows_text(rows, 0, NEXT_WORKSPACE).p;
	db_rows_free(erasing->last);
	erasing->last = rows;
	return STATUS_OK;
}

void ops_erasure_end(struct ops_erasing *erasing)
{
	db_rows_free(erasing->last);
	erasing->last = NULL;
}
