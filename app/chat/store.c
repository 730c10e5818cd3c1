/*
 * The SQL functions as C functions. Only this file (and the operator's program) knows their names.
 */
#include "chat/store.h"

#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"

/* Columns of banter.exchange_begin's result, in order. */
enum column {
	OUTCOME,
	CONVERSATION,
	MESSAGE_ID,
	LIMIT_MAX,
	LIMIT_REMAINING,
	LIMIT_RESET,
	RETRY_AFTER,
	MODEL,
	SYSTEM_PROMPT,
	TEMPERATURE,
	MAX_TOKENS,
	STREAM,
	ANSWER,
	SERVERS,
	REASONING,
	POSITION,
	QUESTION,
	/* Of visit_begin and completion_begin. */
	CHATBOT,
	PERCENT,
	/* Of completion_begin alone. */
	HISTORY_MESSAGES,
	HISTORY_CHARS,
};

static const char *const outcomes[] = {
	[STORE_STARTED] = "started",
	[STORE_REPLAY] = "replay",
	[STORE_BAD_REQUEST] = "bad_request",
	[STORE_UNAUTHORIZED] = "unauthorized",
	[STORE_FORBIDDEN] = "forbidden",
	[STORE_NO_VISITOR] = "visitor_unknown",
	[STORE_KEY_REUSED] = "key_reused",
	[STORE_IN_PROGRESS] = "in_progress",
	[STORE_CHATBOT_NOT_FOUND] = "chatbot_not_found",
	[STORE_FULL] = "full",
	[STORE_LIMITED] = "limited",
	[STORE_VISITORS_LIMITED] = "visitors_limited",
	[STORE_CONVERSATION_NOT_FOUND] = "conversation_not_found",
	[STORE_NO_CREDIT] = "no_credit",
};
#define OUTCOMES COUNT(outcomes)

const char *store_outcome_name(enum store_outcome outcome)
{
	return outcomes[outcome];
}

static int find(const char *const *names, size_t count, struct str name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (str_equal(str_from(names[i]), name))
			return (int)i;
	return -1;
}

static struct str hash_view(const unsigned char *hash)
{
	return (struct str){ (const char *)hash, KEY_HASH_SIZE };
}

static void take_more(struct db_rows *rows, const struct store_exchange *begin,
		      struct store_begun *out)
{
	out->history_messages = out->history_chars = -1;
	if (begin->key.kind != KEY_SITE && !begin->completion)
		return;
	out->chatbot = db_rows_text(rows, 0, CHATBOT);
	out->percent = (int)db_rows_integer(rows, 0, PERCENT, 0);
	if (!begin->completion)
		return;
	out->history_messages = db_rows_integer(rows, 0, HISTORY_MESSAGES, -1);
	out->history_chars = db_rows_integer(rows, 0, HISTORY_CHARS, -1);
}

static enum status take_begun(struct db_rows *rows, const struct store_exchange *begin,
			      struct store_begun *out)
{
	int outcome = find(outcomes, OUTCOMES, db_rows_text(rows, 0, OUTCOME));

	if (outcome < 0) {
		log_error("exchange_begin answered in a way this program does not know");
		db_rows_free(rows);
		return STATUS_FAILED;
	}
	*out = (struct store_begun){
		.rows = rows,
		.position = db_rows_integer(rows, 0, POSITION, 0),
		.outcome = (enum store_outcome)outcome,
		.conversation = db_rows_text(rows, 0, CONVERSATION),
		.message_id = db_rows_text(rows, 0, MESSAGE_ID),
		.limit = db_rows_integer(rows, 0, LIMIT_MAX, -1),
		.remaining = db_rows_integer(rows, 0, LIMIT_REMAINING, 0),
		.reset = db_rows_integer(rows, 0, LIMIT_RESET, 0),
		.retry_s = db_rows_integer(rows, 0, RETRY_AFTER, 0),
		.model = db_rows_text(rows, 0, MODEL),
		.system_prompt = db_rows_text(rows, 0, SYSTEM_PROMPT),
		.temperature = db_rows_text(rows, 0, TEMPERATURE),
		.max_tokens = db_rows_integer(rows, 0, MAX_TOKENS, 0),
		.stream = db_rows_boolean(rows, 0, STREAM),
		.replayed = db_rows_text(rows, 0, ANSWER),
		.servers = db_rows_text(rows, 0, SERVERS),
		.reasoning = db_rows_text(rows, 0, REASONING),
	};
	take_more(rows, begin, out);
	return STATUS_OK;
}

/*
 * The calls of an exchange, with all that they take as it is declared: to look names up is a tenth of
 * what PostgreSQL does for an exchange where statements are not prepared.
 */
#define BEGIN                                                                                      \
	"select * from banter.exchange_begin($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"   \
	" $13, $14, $15, $16, $17, $18, $19, $20, $21) where " DB_IN_TIME("$22")

/* Of a client of OpenAI's protocol. */
#define COMPLETION                                                                                 \
	"select * from banter.completion_begin($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12," \
	" $13, $14, $15, $16, $17, $18, $19) where " DB_IN_TIME("$20")

static void put_completion(struct db_query *query, const struct store_exchange *begin)
{
	db_query_init(query, "completion_begin", COMPLETION);
	db_query_keep(query);
	db_add_integer(query, begin->key.workspace);
	db_add_text(query, hash_view(begin->key.hash));
	db_add_text(query, begin->chatbot);
	db_add_text(query, begin->session);
	db_add_text(query, begin->system);
	db_add_text(query, str_from(begin->exchange));
	db_add_text(query, str_from(begin->answer));
	db_add_text(query, str_from(begin->new_conversation));
	db_add_text(query, begin->message);
}

/* Of a page's visitor. */
#define VISIT                                                                                      \
	"select * from banter.visit_begin($1, $2, $3, $4, $5, $6, $7, $8, $9, $12, $13, $14, $15," \
	" $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $10, $11, $26)"                        \
	" where " DB_IN_TIME("$27")

static void put_visit(struct db_query *query, const struct config *config,
		      const struct store_exchange *begin)
{
	const struct store_visitor *visitor = &begin->visitor;

	db_query_init(query, "visit_begin", VISIT);
	db_query_keep(query);
	db_add_integer(query, begin->key.workspace);
	db_add_text(query, hash_view(begin->key.hash));
	db_add_text(query, visitor->origin);
	db_add_text(query, visitor->tokenless ? STR_NONE : hash_view(visitor->token));
	db_add_boolean(query, visitor->minted);
	db_add_text(query, visitor->user);
	db_add_integer(query, visitor->expires);
	db_add_text(query, hash_view(visitor->signature));
	db_add_text(query, str_from(visitor->id));
	db_add_integer(query, config->visitor_exchanges);
	db_add_integer(query, config->visitor_credits);
	db_add_text(query, str_from(begin->exchange));
	db_add_text(query, str_from(begin->answer));
	db_add_text(query, str_from(begin->new_conversation));
	db_add_text(query, begin->session);
	db_add_text(query, begin->message);
}

static void put_begin(struct db_query *query, const struct store_exchange *begin)
{
	db_query_init(query, "exchange_begin", BEGIN);
	db_query_keep(query);
	db_add_integer(query, begin->key.workspace);
	db_add_text(query, hash_view(begin->key.hash));
	db_add_text(query, key_kind_name(begin->key.kind));
	db_add_text(query, begin->chatbot);
	db_add_text(query, str_from(begin->exchange));
	db_add_text(query, str_from(begin->answer));
	db_add_text(query, begin->conversation);
	db_add_text(query, str_from(begin->new_conversation));
	db_add_text(query, begin->session);
	db_add_text(query, begin->message);
	db_add_text(query, begin->metadata);
}

/* What both end with. */
static void put_rest(struct db_query *query, const struct config *config,
		     const struct store_exchange *begin)
{
	if (begin->stream < 0)
		db_add_null(query);
	else
		db_add_boolean(query, begin->stream != 0);
	db_add_text(query, begin->idempotency_key);
	db_add_text(query, begin->idempotency_key.p ? hash_view(begin->body_hash) : STR_NONE);
	db_add_integer(query, config->lease_ms / 1000);
	db_add_integer(query, config->history_messages);
	db_add_integer(query, config->history_chars);
	db_add_text(query, begin->request_id);
	db_add_integer(query, config->workspace_open);
	db_add_integer(query, config->key_open);
	db_add_time_left(query); /* or it would begin after its 503 */
	db_add_until(query);
	/* A turn to connect is capacity like a worker: its time is the same. */
	db_query_patient(query, config->queue_ms ? begin->since + config->queue_ms : CLOCK_NEVER);
}

enum status store_begin(struct db *db, struct wait *wait, const struct config *config,
			const struct store_exchange *begin, struct store_begun *out)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;

	if (begin->completion)
		put_completion(&query, begin);
	else if (begin->key.kind == KEY_SITE)
		put_visit(&query, config, begin);
	else
		put_begin(&query, begin);
	put_rest(&query, config, begin);

	stage_set(wait->stage, STAGE_BEGIN);
	wait_undisturbed(wait, true);
	status = db_call(db, wait, &query, clock_ms() + config->database_ms, &rows);
	wait_undisturbed(wait, false);
	return status ? status : take_begun(rows, begin, out);
}

void store_begun_clear(struct store_begun *begun)
{
	db_rows_free(begun->rows);
	*begun = (struct store_begun){ 0 };
}

int store_history_count(const struct store_begun *begun)
{
	return 2 * (db_rows_count(begun->rows) - 1);
}

void store_history(const struct store_begun *begun, int index, bool *assistant, struct str *text)
{
	*assistant = index % 2;
	*text = db_rows_text(begun->rows, index / 2 + 1, *assistant ? ANSWER : QUESTION);
}

int64_t store_history_position(const struct store_begun *begun, int index)
{
	return db_rows_integer(begun->rows, index / 2 + 1, POSITION, 0);
}

static void add_known(struct db_query *query, int64_t number)
{
	if (number < 0)
		db_add_null(query);
	else
		db_add_integer(query, number);
}

#define END                                                                                        \
	"select banter.exchange_end($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $16,"  \
	" $14, $15) where " DB_IN_TIME("$17")

enum status store_finish(struct db *db, struct wait *wait, const struct store_ending *finish,
			 int64_t deadline, enum store_finished *out)
{
	static const char *const ends[] = {
		[STORE_DONE] = "done", [STORE_LEFT] = "left", [STORE_FAILED] = "failed"
	};
	static const char *const results[] = {
		[STORE_STORED] = "stored", [STORE_ALREADY] = "already", [STORE_GONE] = "gone"
	};
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;
	int result;

	db_query_init(&query, "exchange_end", END);
	db_query_keep(&query);
	db_add_integer(&query, finish->workspace);
	db_add_text(&query, str_from(finish->exchange));
	db_add_text(&query, str_from(ends[finish->end]));
	db_add_text(&query, finish->answer);
	db_add_text(&query, finish->finish_reason);
	add_known(&query, finish->tokens_in);
	add_known(&query, finish->tokens_out);
	db_add_text(&query, *finish->error ? str_from(finish->error) : STR_NONE);
	add_known(&query, finish->first_ms);
	db_add_integer(&query, finish->total_ms);
	db_add_text(&query, finish->server);
	db_add_integer(&query, finish->requests);
	db_add_text(&query, finish->tries);
	add_known(&query, finish->tokens_cached);
	add_known(&query, finish->history_from);
	db_add_time_left(&query); /* or it would be stored, and charged, after its `error` */
	db_add_until(&query);
	status = db_call(db, wait, &query, deadline, &rows);
	if (status)
		return status;
	result = find(results, COUNT(results), db_rows_text(rows, 0, 0));
	db_rows_free(rows);
	if (result < 0) {
		log_error("exchange_end answered in a way this program does not know");
		return STATUS_FAILED;
	}
	*out = (enum store_finished)result;
	return STATUS_OK;
}

void store_renew(struct db_query *query, int64_t workspace, const char *exchange, int64_t lease_ms,
		 int64_t answer_ms)
{
	db_query_init(query, "lease_renew",
		      "select banter.lease_renew(p_workspace => $1, p_exchange => $2,"
		      " p_lease_seconds => $3, p_lock_ms => $4)");
	db_query_keep(query);
	db_add_integer(query, workspace);
	db_add_text(query, str_from(exchange));
	db_add_integer(query, lease_ms / 1000);
	db_add_integer(query, db_lock_ms(answer_ms));
}

void store_leave(struct db_query *query, int64_t workspace, const char *exchange)
{
	db_query_init(query, "exchange_leave",
		      "select banter.exchange_leave(p_workspace => $1, p_exchange => $2)");
	db_add_integer(query, workspace);
	db_add_text(query, str_from(exchange));
}

enum status store_health(struct db *db, struct wait *wait, const struct config *config)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;

	db_query_init(&query, "health", "select banter.health()");
	db_query_keep(&query);
	status = db_call(db, wait, &query, clock_ms() + config->database_ms, &rows);
	if (status == STATUS_OK && !db_rows_text(rows, 0, 0).p) {
		log_error("health: no partition of the database answers");
		status = STATUS_UNAVAILABLE;
	} else if (status == STATUS_OK && !db_rows_boolean(rows, 0, 0)) {
		log_error("health: the database is read-only");
		status = STATUS_REFUSED;
	}
	db_rows_free(rows);
	return status;
}

enum status store_connect(const struct config *config, struct db **out)
{
	struct db_target target = {
		.url = config->database_url,
		.password = config->database_password,
		.url_file = config->files.database_url,
		.password_file = config->files.database_password,
		.connect_ms = config->database_connect_ms,
		.idle_ms = config->database_idle_ms,
	};

	return db_new(&target, out);
}

enum status store_version(struct db *db, const struct config *config, int *version)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;
	bool there;

	db_query_init(&query, "schema_version",
		      "select to_regproc('banter.schema_version') is not null");
	status = db_call(db, NULL, &query, clock_ms() + config->database_ms, &rows);
	if (status)
		return status;
	there = db_rows_boolean(rows, 0, 0);
	db_rows_free(rows);
	rows = NULL;
	*version = 0;
	if (!there)
		return STATUS_OK;
	db_query_init(&query, "schema_version", "select banter.schema_version()");
	status = db_call(db, NULL, &query, clock_ms() + config->database_ms, &rows);
	if (status == STATUS_OK)
		*version = (int)db_rows_integer(rows, 0, 0, 0);
	db_rows_free(rows);
	return status;
}

/* Not worth a failed start. */
int64_t store_room(struct db *db, const struct config *config)
{
	struct db_rows *rows = NULL;
	struct db_query query;
	int64_t room = -1;

	db_query_init(&query, "room", "select pg_backend_pid(), " STORE_ROOM);
	if (db_call(db, NULL, &query, clock_ms() + config->database_ms, &rows))
		return -1;
	if (db_rows_integer(rows, 0, 0, 0) == db_backend(db))
		room = db_rows_integer(rows, 0, 1, -1);
	db_rows_free(rows);
	return room;
}
