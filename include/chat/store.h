/*
 * The SQL functions as C functions: an exchange's beginning and end, its lease, the schema's
 * version. What they mean is documented with them, in sql/app.
 */
#ifndef CHAT_STORE_H
#define CHAT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"
#include "base/status.h"
#include "base/str.h"
#include "base/wait.h"
#include "chat/key.h"
#include "edge/db.h"
#include "wire/config.h"

/* The version of sql/migrations this program was made for. */
#define STORE_SCHEMA_VERSION 7

/* What exchange_begin() decided; the first failing check of the contract's G1. */
enum store_outcome {
	STORE_STARTED,
	STORE_REPLAY, /* an answer given before, under the same Idempotency-Key */
	STORE_BAD_REQUEST,
	STORE_UNAUTHORIZED,
	STORE_FORBIDDEN,  /* a site key, of another page */
	STORE_NO_VISITOR, /* a token or an identity that is nobody's */
	STORE_KEY_REUSED,
	STORE_IN_PROGRESS,
	STORE_CHATBOT_NOT_FOUND,
	STORE_FULL, /* the key or the workspace has too many exchanges open */
	STORE_LIMITED,
	STORE_VISITORS_LIMITED, /* the chatbot's visitors have used up their day */
	STORE_CONVERSATION_NOT_FOUND,
	STORE_NO_CREDIT,
};
/* The database's word for it, such as "no_credit". */
const char *store_outcome_name(enum store_outcome outcome);

/* Whom a page speaks for, with a site key. */
struct store_visitor {
	struct str origin; /* the page's; absent: not said */
	unsigned char token[KEY_HASH_SIZE];
	bool minted;	 /* the token is new */
	bool tokenless;	 /* there is none: only the site says who it is */
	struct str user; /* who is signed in at the site; absent: nobody */
	int64_t expires; /* Unix seconds */
	unsigned char signature[KEY_HASH_SIZE];
	char id[SECRET_ID_SIZE]; /* ours, for one who is not known yet */
};

/* An exchange to begin. The ids are ours and new; sending the same twice begins it once. */
struct store_exchange {
	struct key key;
	struct str chatbot; /* chatbot API; a completion's: its id or its name */
	/* With a workspace key, of an API that names chatbots and conversations as its clients do: `session`, or absent. */
	bool completion;
	struct str
		system; /* of a completion: what its client would have the model told; absent: nothing */
	struct str conversation;      /* chatbot API; absent: a new one */
	struct str session;	      /* headless API */
	struct store_visitor visitor; /* with a site key */
	struct str message;	      /* absent: the body was bad, only the key is judged */
	struct str metadata;	      /* JSON; absent: none */
	int stream;		      /* 0, 1; -1: the chatbot's own setting */
	struct str idempotency_key;
	unsigned char body_hash[KEY_HASH_SIZE];
	struct str request_id;
	int64_t since; /* clock_ms(): its client waits since then (G6) */
	char exchange[SECRET_ID_SIZE];
	char answer[SECRET_ID_SIZE];
	char new_conversation[SECRET_ID_SIZE];
};

/* What came back; strings are borrowed from `rows`. */
struct store_begun {
	struct db_rows *rows; /* row 0 the decision, then the history */
	int64_t position;     /* its place in the conversation */
	enum store_outcome outcome;
	struct str conversation;
	struct str message_id;
	int64_t limit, remaining, reset; /* limit -1: the chatbot has none */
	int64_t retry_s;		 /* 0: not said */
	struct str model;		 /* absent: the server's */
	struct str system_prompt;	 /* absent: none */
	struct str temperature;		 /* a JSON number; absent: none */
	int64_t max_tokens;		 /* 0: none */
	bool stream;
	struct str replayed;
	struct str servers;   /* names, commas between; absent: only the default one */
	struct str reasoning; /* remove, keep or begins (S11); absent: remove */
	/* With this one so much of what visitors may in a day is used; 0: not just now. */
	int percent;
	struct str chatbot; /* of a visitor's, and of a completion */
	/* Of a completion: what its chatbot takes of a history, -1: whatever the server does. */
	int64_t history_messages, history_chars;
};

/* The exchange's decision and history. As db_call(). Undisturbed by the client. */
enum status store_begin(struct db *db, struct wait *wait, const struct config *config,
			const struct store_exchange *begin, struct store_begun *out) MUST_CHECK;
void store_begun_clear(struct store_begun *begun);
/* History: exchange by exchange, oldest first, of each the question and then the answer. */
int store_history_count(const struct store_begun *begun);
void store_history(const struct store_begun *begun, int index, bool *assistant, struct str *text);
/* The place in the conversation of the exchange it is of. */
int64_t store_history_position(const struct store_begun *begun, int index);

enum store_end { STORE_DONE, STORE_LEFT, STORE_FAILED };
enum store_finished { STORE_STORED, STORE_ALREADY, STORE_GONE };

struct store_ending {
	int64_t workspace;
	const char *exchange;
	enum store_end end;
	struct str answer;
	struct str finish_reason;      /* absent: none */
	int64_t tokens_in, tokens_out; /* -1: unknown */
	int64_t tokens_cached;	       /* of tokens_in; -1: unknown */
	const char *error;	       /* a cause, "" if none */
	int64_t first_ms, total_ms;    /* first_ms -1: no token came */
	struct str server;	       /* asked last; absent: none was */
	int requests;		       /* of a model, in all */
	struct str tries;	       /* why it was asked again; absent: it was not */
	int64_t history_from; /* where it began for the model, asked with less of it; -1: not so */
};
/* Ends an exchange; committed when it returns. As db_call(). */
enum status store_finish(struct db *db, struct wait *wait, const struct store_ending *finish,
			 int64_t deadline, enum store_finished *out) MUST_CHECK;

/*
 * The statement that renews a lease, for db_start(): a stream goes on while it runs. Who begins it
 * anew after `answer_ms` without an answer leaves none waiting in the database: see db_lock_ms().
 * `exchange` is borrowed.
 */
void store_renew(struct db_query *query, int64_t workspace, const char *exchange, int64_t lease_ms,
		 int64_t answer_ms);

/*
 * The statement that asks for how many seconds an exchange goes on whose client has left, 0: it ends.
 * As store_renew().
 */
void store_leave(struct db_query *query, int64_t workspace, const char *exchange);

/*
 * Asks whether the database answers and takes what is written. STATUS_REFUSED: it is read-only
 * (logged); else as db_call().
 */
enum status store_health(struct db *db, struct wait *wait, const struct config *config) MUST_CHECK;
/*
 * How many connections PostgreSQL lets in for the role that asks, those that are there included:
 * the server's, and the least of these and the role's and the database's own. SQL expressions.
 */
#define STORE_SERVER_ROOM                                                                          \
	"current_setting('max_connections')::integer"                                              \
	" - current_setting('superuser_reserved_connections')::integer"                            \
	" - coalesce(current_setting('reserved_connections', true), '0')::integer"
#define STORE_ROOM                                                                                 \
	"least(" STORE_SERVER_ROOM ", (select nullif(r.rolconnlimit, -1)"                          \
	" from pg_roles r where r.rolname = current_user), (select nullif(d.datconnlimit, -1)"     \
	" from pg_database d where d.datname = current_database()))"
/* Besides the workers' own: the stopper's, the status listener's and banterctl's. */
#define STORE_BESIDES 3

/* The schema's; 0 where there is none. As db_call(). */
enum status store_version(struct db *db, const struct config *config, int *version) MUST_CHECK;
/* STORE_ROOM; -1: a pooler stands between, or it was not told. */
int64_t store_room(struct db *db, const struct config *config);
/* A connection as the settings say. STATUS_NOMEM. */
enum status store_connect(const struct config *config, struct db **out) MUST_CHECK;

#endif
