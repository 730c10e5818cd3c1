/* Statistics, and the exchanges one by one. */
#include "ops/statistics.h"

#include "ops/call.h"

enum status ops_statistics_usage(struct ops *ops, const struct ops_statistics *which,
				 struct db_rows **out)
{
	struct db_query query;

	db_query_init(
		&query, "stats",
		"select name, exchanges, done, \"left\", failed, asked_again, moved,"
		" tokens_in, tokens_cached, cached_percent, tokens_out, credits, visitors_percent,"
		" thumbs_up, thumbs_down, first_ms_half, first_ms_most, total_ms_half, running"
		" from banter.stats("
		"p_by => $1, p_days => $2, p_workspace => $3, p_chatbot => $4)");
	db_add_input(&query, which->by);
	db_add_integer(&query, which->days);
	db_add_input(&query, which->workspace);
	db_add_input(&query, which->chatbot);
	return ops_call(ops, &query, out);
}

enum status ops_statistics_tail(struct ops *ops, const char *chatbot, const char *since,
				int64_t limit, struct db_rows **out)
{
	struct db_query query;

	db_query_init(&query, "tail",
		      "select started_at, state, chatbot, first_ms, total_ms, error, server, tries,"
		      " tokens_out, request_id, model, stream, tokens_in, tokens_cached, requests, "
		      "finish_reason,"
		      " exchange, ended"
		      " from banter.tail(p_limit => $1, p_chatbot => $2,"
		      " p_since => $3::timestamptz - interval '5 seconds')");
	db_add_integer(&query, limit);
	db_add_input(&query, chatbot);
	db_add_input(&query, since);
	return ops_call(ops, &query, out);
}
