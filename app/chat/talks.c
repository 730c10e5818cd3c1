/* Reading back, and erasing: the SQL functions, which say all of it themselves, in JSON. */
#include "chat/talks.h"

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"

/* On a page: exchanges of one conversation, and conversations. */
#define EXCHANGES 20
#define CONVERSATIONS 100

/* The columns of what they return. */
enum { OUTCOME, BODY, LIMIT_MAX, LIMIT_REMAINING, LIMIT_RESET, RETRY_AFTER, RUNNING, STOPPED };

static const char *const outcomes[] = {
	[TALKS_FOUND] = "found",
	[TALKS_UNAUTHORIZED] = "unauthorized",
	[TALKS_FORBIDDEN] = "forbidden",
	[TALKS_NO_VISITOR] = "visitor_unknown",
	[TALKS_BAD_REQUEST] = "bad_request",
	[TALKS_CHATBOT_NOT_FOUND] = "chatbot_not_found",
	[TALKS_LIMITED] = "limited",
	[TALKS_NOT_FOUND] = "conversation_not_found",
};

const char *talks_outcome_name(enum talks_outcome outcome)
{
	return outcomes[outcome];
}

#define READER                                                                                     \
	"p_workspace => $1, p_key_hash => $2, p_kind => $3, p_chatbot => $4, p_session => $5,"     \
	" p_origin => $6, p_token => $7, p_user => $8, p_expires => $9, p_signature => $10"

static void put_reader(struct db_query *query, const struct talks_reader *reader)
{
	const struct store_visitor *visitor = &reader->visitor;
	bool token = reader->key.kind == KEY_SITE && !visitor->tokenless && !visitor->minted;
	bool user = reader->key.kind == KEY_SITE && visitor->user.p;

	db_add_integer(query, reader->key.workspace);
	db_add_text(query, (struct str){ (const char *)reader->key.hash, KEY_HASH_SIZE });
	db_add_text(query, key_kind_name(reader->key.kind));
	db_add_text(query, reader->chatbot);
	db_add_text(query, reader->session);
	db_add_text(query, visitor->origin);
	db_add_text(query,
		    token ? (struct str){ (const char *)visitor->token, KEY_HASH_SIZE } : STR_NONE);
	db_add_text(query, user ? visitor->user : STR_NONE);
	db_add_integer(query, visitor->expires);
	db_add_text(query, (struct str){ (const char *)visitor->signature, KEY_HASH_SIZE });
}

static enum status read_back(struct db *db, struct wait *wait, const struct config *config,
			     const struct db_query *query, struct talks_read *out)
{
	enum status status;
	struct str outcome;
	size_t i = 0;

	*out = (struct talks_read){ 0 };
	wait_undisturbed(wait, true);
	status = db_call(db, wait, query, clock_ms() + config->database_ms, &out->rows);
	wait_undisturbed(wait, false);
	if (status)
		return status;
	outcome = db_rows_text(out->rows, 0, OUTCOME);
	while (i < COUNT(outcomes) && !str_equal(str_from(outcomes[i]), outcome))
		i++;
	if (i == COUNT(outcomes)) {
		log_error("%s answered in a way this program does not know", query->name);
		talks_read_clear(out);
		return STATUS_FAILED;
	}
	out->outcome = (enum talks_outcome)i;
	out->body = db_rows_text(out->rows, 0, BODY);
	out->limit = db_rows_integer(out->rows, 0, LIMIT_MAX, -1);
	out->remaining = db_rows_integer(out->rows, 0, LIMIT_REMAINING, 0);
	out->reset = db_rows_integer(out->rows, 0, LIMIT_RESET, 0);
	out->retry_s = db_rows_integer(out->rows, 0, RETRY_AFTER, 0);
	return STATUS_OK;
}

enum status talks_messages(struct db *db, struct wait *wait, const struct config *config,
			   const struct talks_reader *reader, struct str conversation,
			   struct str before, struct talks_read *out)
{
	struct db_query query;

	db_query_init(&query, "messages_read",
		      "select * from banter.messages_read(" READER ", p_conversation => $11,"
		      " p_before => $12, p_limit => $13)");
	put_reader(&query, reader);
	db_add_text(&query, conversation);
	db_add_text(&query, before);
	db_add_integer(&query, EXCHANGES);
	return read_back(db, wait, config, &query, out);
}

enum status talks_list(struct db *db, struct wait *wait, const struct config *config,
		       const struct talks_reader *reader, struct str before, struct talks_read *out)
{
	struct db_query query;

	db_query_init(&query, "talks_list",
		      "select * from banter.talks_list(" READER ", p_before => $11,"
		      " p_limit => $12)");
	put_reader(&query, reader);
	db_add_text(&query, before);
	db_add_integer(&query, CONVERSATIONS);
	return read_back(db, wait, config, &query, out);
}

enum status talks_delete(struct db *db, struct wait *wait, const struct config *config,
			 const struct talks_reader *reader, struct str conversation,
			 struct talks_read *out)
{
	struct db_query query;

	db_query_init(&query, "talk_delete",
		      "select * from banter.talk_delete(" READER ", p_conversation => $11,"
		      " p_lock_ms => $12)");
	put_reader(&query, reader);
	db_add_text(&query, conversation);
	db_add_time_left(&query); /* or it would be erased after its 503 */
	return read_back(db, wait, config, &query, out);
}

enum status talks_feedback(struct db *db, struct wait *wait, const struct config *config,
			   const struct talks_reader *reader, struct str conversation,
			   const struct talks_opinion *feedback, struct talks_read *out)
{
	struct db_query query;

	db_query_init(&query, "talk_feedback",
		      "select * from banter.talk_feedback(" READER ", p_conversation => $11,"
		      " p_message => $12, p_thumb => $13, p_text => $14, p_good => $15,"
		      " p_lock_ms => $16)");
	put_reader(&query, reader);
	db_add_text(&query, conversation);
	db_add_text(&query, feedback->message);
	db_add_text(&query, feedback->bad ? STR_NONE : feedback->thumb);
	db_add_text(&query, feedback->bad ? STR_NONE : feedback->text);
	db_add_boolean(&query, !feedback->bad);
	db_add_time_left(&query);
	return read_back(db, wait, config, &query, out);
}

/* The columns that only these have. */
static void take_stopped(enum status status, struct talks_read *out)
{
	if (status || out->outcome != TALKS_FOUND)
		return;
	out->running = db_rows_boolean(out->rows, 0, RUNNING);
	out->exchanges = db_rows_text(out->rows, 0, STOPPED);
}

enum status talks_stop(struct db *db, struct wait *wait, const struct config *config,
		       const struct talks_reader *reader, struct str conversation,
		       struct str message, bool good, struct talks_read *out)
{
	struct db_query query;
	enum status status;

	db_query_init(&query, "talk_stop",
		      "select * from banter.talk_stop(" READER ", p_conversation => $11,"
		      " p_message => $12, p_good => $13, p_lock_ms => $14)");
	put_reader(&query, reader);
	db_add_text(&query, conversation);
	db_add_text(&query, message);
	db_add_boolean(&query, good);
	db_add_time_left(&query);
	status = read_back(db, wait, config, &query, out);
	take_stopped(status, out);
	return status;
}

enum status talks_stopped(struct db *db, struct wait *wait, const struct config *config,
			  const struct talks_reader *reader, struct talks_read *read)
{
	struct talks_read before = *read;
	struct db_query query;
	enum status status;

	db_query_init(&query, "talk_stopped",
		      "select * from banter.talk_stopped(p_workspace => $1, p_exchanges => $2,"
		      " p_lock_ms => $3)");
	db_add_integer(&query, reader->key.workspace);
	db_add_input(&query, before.exchanges.p);
	db_add_time_left(&query);
	status = read_back(db, wait, config, &query, read);
	take_stopped(status, read);
	read->limit = before.limit;
	read->remaining = before.remaining;
	read->reset = before.reset;
	talks_read_clear(&before);
	return status;
}

/* `column`: the first of them. */
static void take_answer(const struct db_rows *rows, int column, struct talks_status *out)
{
	struct str state = db_rows_text(rows, 0, column + 3);

	*out = (struct talks_status){
		.exchange = db_rows_text(rows, 0, column),
		.conversation = db_rows_text(rows, 0, column + 1),
		.message_id = db_rows_text(rows, 0, column + 2),
		.runs = str_equal(state, STR("running")),
		.whole = str_equal(state, STR("done")) || str_equal(state, STR("left")),
		.stopped = str_equal(state, STR("left")),
		.text = db_rows_text(rows, 0, column + 4),
		.finish_reason = db_rows_text(rows, 0, column + 5),
		.tokens_in = db_rows_integer(rows, 0, column + 6, -1),
		.tokens_out = db_rows_integer(rows, 0, column + 7, -1),
	};
}

enum status talks_stream(struct db *db, struct wait *wait, const struct config *config,
			 const struct talks_reader *reader, const struct talks_choice *stream,
			 struct talks_status *answer, struct talks_read *out)
{
	struct db_query query;
	enum status status;

	db_query_init(&query, "talk_stream",
		      "select * from banter.talk_stream(" READER ", p_conversation => $11,"
		      " p_named => $12, p_message => $13, p_good => $14)");
	put_reader(&query, reader);
	db_add_text(&query, stream->named ? STR_NONE : stream->talk);
	db_add_text(&query, stream->named ? stream->talk : STR_NONE);
	db_add_text(&query, stream->message);
	db_add_boolean(&query, stream->good);
	status = read_back(db, wait, config, &query, out);
	if (status == STATUS_OK)
		take_answer(out->rows, RETRY_AFTER + 1, answer);
	return status;
}

enum status talks_answer(struct db *db, struct wait *wait, const struct config *config,
			 int64_t workspace, struct str conversation, struct str message,
			 struct talks_status *out, struct db_rows **rows)
{
	struct db_query query;
	enum status status;

	db_query_init(&query, "talk_answer",
		      "select * from banter.talk_answer(p_workspace => $1, p_conversation => $2,"
		      " p_message => $3)");
	db_add_integer(&query, workspace);
	db_add_text(&query, conversation);
	db_add_text(&query, message);
	status = db_call(db, wait, &query, clock_ms() + config->database_ms, rows);
	if (status)
		return status;
	take_answer(*rows, 0, out);
	out->attaches = db_rows_boolean(*rows, 0, 8);
	return STATUS_OK;
}

enum status talks_models(struct db *db, struct wait *wait, const struct config *config,
			 const struct key *key, struct talks_read *out)
{
	struct db_query query;

	db_query_init(&query, "models_list",
		      "select outcome, body, null, null, null, null from"
		      " banter.models_list(p_workspace => $1, p_key_hash => $2)");
	db_add_integer(&query, key->workspace);
	db_add_text(&query, (struct str){ (const char *)key->hash, KEY_HASH_SIZE });
	return read_back(db, wait, config, &query, out);
}

void talks_read_clear(struct talks_read *read)
{
	db_rows_free(read->rows);
	*read = (struct talks_read){ 0 };
}
