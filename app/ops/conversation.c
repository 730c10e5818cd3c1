/* Conversations. They are read in steps, so that however many there are they fit into memory. */
#include "ops/conversation.h"

#include <string.h>

#include "base/clock.h"
#include "ops/call.h"
#include "wire/utf8.h"

#define EXPORT_STEP 200 /* exchanges; each may be some hundred kilobytes */
#define BEGIN_MS 60000

enum status ops_conversation_list(struct ops *ops, const struct ops_conversation_choice *choice,
				  struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "conversation list",
		      "select conversation as conversation_id, chatbot, session, exchanges,"
		      " last_at, created_at, user_id, chatbot_id, visitor, thread"
		      " from banter.conversation_list(p_chatbot => $1, p_session => $2,"
		      " p_since => $3, p_limit => $4, p_visitor => $5, p_user => $6)");
	db_add_input(&query, choice->chatbot);
	db_add_input(&query, choice->session);
	db_add_input(&query, choice->since);
	db_add_integer(&query, choice->limit);
	db_add_input(&query, choice->visitor);
	db_add_input(&query, choice->user);
	return ops_call(ops, &query, out);
}

enum status ops_conversation_search_next(struct ops *ops,
					 const struct ops_conversation_search *search,
					 const struct db_rows *last, struct db_rows **out)
{
	int row = db_rows_count(last) - 1;
	struct db_query query;

	db_query_init(&query, "search",
		      "select conversation as conversation_id, started_at, found_in as \"in\","
		      " excerpt, chatbot, chatbot_id, next_workspace, next_exchange"
		      " from banter.conversation_search(p_text => $1, p_chatbot => $2,"
		      " p_workspace => $3, p_exchange => $4, p_limit => $5)");
	db_add_text(&query, search->text);
	db_add_input(&query, search->chatbot);
	db_add_input(&query, last ? db_rows_text(last, row, OPS_SEARCH_COLUMNS).p : NULL);
	db_add_input(&query, last ? db_rows_text(last, row, OPS_SEARCH_COLUMNS + 1).p : NULL);
	db_add_integer(&query, OPS_SEARCH_STEP);
	return ops_call(ops, &query, out);
}

/* A last row without a conversation says where to go on. */
bool ops_conversation_search_goes_on(const struct db_rows *rows)
{
	int count = db_rows_count(rows);

	return count && !db_rows_text(rows, count - 1, 0).p;
}

int ops_conversation_found(const struct db_rows *rows)
{
	return db_rows_count(rows) - ops_conversation_search_goes_on(rows);
}

enum status ops_conversation_export_begin(struct ops *ops)
{
	enum status status =
		db_script(ops->db, "export", "begin isolation level repeatable read read only",
			  clock_ms() + BEGIN_MS, NULL);

	db_hold(ops->db, status == STATUS_OK);
	return status;
}

enum status ops_conversation_export_next(struct ops *ops,
					 const struct ops_conversation_export *which,
					 const struct db_rows *last, struct db_rows **out)
{
	int row = db_rows_count(last) - 1, i;
	struct db_query query;

	db_query_init(&query, "export",
		      "select * from banter.conversation_export(p_format => $1, p_workspace => $2,"
		      " p_chatbot => $3, p_conversation => $4, p_running => $5,"
		      " p_after_workspace => $6, p_after_conversation => $7,"
		      " p_after_position => $8, p_after_attempt => $9, p_limit => $10)");
	db_add_input(&query, which->format);
	db_add_input(&query, which->workspace);
	db_add_input(&query, which->chatbot);
	db_add_input(&query, which->conversation);
	db_add_boolean(&query, which->running);
	for (i = OPS_EXPORT_WORKSPACE; i <= OPS_EXPORT_ATTEMPT; i++)
		db_add_input(&query, last ? db_rows_text(last, row, i).p : NULL);
	db_add_integer(&query, EXPORT_STEP);
	return ops_call(ops, &query, out);
}

bool ops_conversation_export_goes_on(const struct db_rows *rows)
{
	return db_rows_count(rows) == EXPORT_STEP;
}

enum status ops_conversation_import(struct ops *ops, struct str line, const char *chatbot,
				    enum ops_import *out)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;
	struct str outcome;

	if (!utf8_valid(line, NULL) || memchr(line.p, '\0', line.n))
		return ops_refuse(ops, STATUS_INVALID, STR("it is no text in UTF-8"));
	db_query_init(&query, "import",
		      "select outcome, why from banter.conversation_import("
		      "p_record => $1, p_chatbot => $2)");
	db_add_text(&query, line);
	db_add_input(&query, chatbot);
	status = ops_call(ops, &query, &rows);
	outcome = db_rows_text(rows, 0, 0);
	if (status == STATUS_OK && str_equal(outcome, STR("refused")))
		status = ops_refuse(ops, STATUS_INVALID, db_rows_text(rows, 0, 1));
	if (status == STATUS_OK)
		*out = str_equal(outcome, STR("present")) ? OPS_PRESENT : OPS_IMPORTED;
	db_rows_free(rows);
	return status;
}
