/*
 * The model: messages become a request, the response's stream becomes pieces of text. Speaks
 * OpenAI's chat completions (POST …/chat/completions), always streamed; providers' quirks end here.
 * Rests on edge/http_client, wire/sse and wire/json; knows neither database nor client.
 */
#ifndef CHAT_MODEL_H
#define CHAT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "base/wait.h"
#include "chat/model_members.h"
#include "wire/config.h"

struct model;
struct reasoning_memory;

/*
 * A client of all servers of the settings, which are borrowed: they stay as they are while it
 * lives. STATUS_NOMEM, STATUS_INVALID, STATUS_FAILED (logged).
 */
enum status model_new(const struct config *config, struct model **out) MUST_CHECK;
void model_free(struct model *model); /* NULL is fine */
/* What is learned from answers goes there, and is used (S11); borrowed. NULL, as at first: nothing is. */
void model_remember(struct model *model, struct reasoning_memory *memory);

/* What becomes of reasoning that stands within an answer's text (S11). */
enum model_reasoning_mode {
	MODEL_REASONING_REMOVE,
	MODEL_REASONING_KEEP,	/* it is the answer's */
	MODEL_REASONING_BEGINS, /* as REMOVE; answers begin in it, with no mark */
};

/* What is asked of a model, and how; strings are borrowed for the call. */
struct model_options {
	struct str name;	 /* absent: the configured one */
	struct str temperature;	 /* a JSON number; absent: the server's */
	int64_t max_tokens;	 /* 0: the server's */
	struct str conversation; /* its id, for what is learned from answers; absent: nothing is */
	enum model_reasoning_mode reasoning;
	bool whole; /* the client gets the answer in one piece */
	/* What this server refused of the request before: left out, and learned if it takes this one. */
	struct model_refused without;
	int64_t patience_ms; /* for each sign of life before the first text; 0: as the settings say */
	bool fresh;	     /* no connection that was kept */
};

/* Who says a message. */
enum model_role { MODEL_SYSTEM, MODEL_USER, MODEL_ASSISTANT };

/* Forgets the request before: nothing is known of one until the next begins. */
void model_reset(struct model *model);
/*
 * Builds a request: begin, the messages oldest first, then start. `server` is one of the settings'.
 * Failures are told by model_start().
 */
void model_begin(struct model *model, const struct model_server *server,
		 const struct model_options *options);
void model_message(struct model *model, enum model_role role, struct str text);
/* Sends it. The answer must be over by `deadline`. STATUS_NOMEM, STATUS_FAILED. */
enum status model_start(struct model *model, int64_t deadline, struct stage *stage) MUST_CHECK;

/*
 * A content delta with text, valid and whole (S4, S5). An absent text, with `whole` only, says that
 * all that came so far was reasoning: it is taken back. A result other than STATUS_OK ends
 * model_next() with it.
 */
typedef enum status (*model_text_fn)(void *context, struct str text);

/*
 * Waits once for more, as http_client_next(); `text` is called for each delta that came. *ended: the
 * answer is complete.
 *   STATUS_OK
 *   STATUS_UNAVAILABLE, STATUS_TIMEOUT, STATUS_REFUSED (the server answered with an error),
 *   STATUS_INVALID (not the protocol): the server failed, see model_failed() and model_cause()
 *   STATUS_NOMEM: see model_cause();  STATUS_CLOSED, STATUS_STOPPED: as wait_some()
 */
enum status model_next(struct model *model, struct wait *wait, int64_t wake_at, model_text_fn text,
		       void *context, bool *ended) MUST_CHECK;
/* Ends the transfer, complete or not. */
void model_stop(struct model *model);

/*
 * Of the answer so far: absent or -1 while the server has not said. Borrowed until the next
 * model_begin().
 */
struct str model_finish_reason(const struct model *model);
int64_t model_tokens_in(const struct model *model);
int64_t model_tokens_out(const struct model *model);
/* Of tokens_in: those that the server had kept from an earlier request. */
int64_t model_tokens_cached(const struct model *model);

enum model_failure_kind {
	MODEL_UNREACHED, /* no way to it: its name, its certificate, a connection in time */
	MODEL_DECLINED,	 /* nobody listens there */
	MODEL_RESET,	 /* the connection broke off before the answer's end */
	MODEL_LATE,	 /* nothing came for too long */
	MODEL_HTTP,	 /* it answered with an HTTP status that is no success */
	MODEL_ERROR,	 /* it answered with an error inside a success */
	MODEL_PROTOCOL,	 /* what it answered is not the protocol */
};
/* A request that failed, for whoever may ask again. */
struct model_failure {
	enum model_failure_kind kind;
	int http;	  /* HTTP: the status; ERROR: the one that it names; else 0 */
	int64_t retry_ms; /* how long the server wants us to wait; -1: it does not say */
	/* As far as the server's words tell: */
	bool too_long;		      /* the messages are: fewer may be taken */
	struct model_refused refused; /* members that it does not take */
	bool reused;		      /* it was sent on a connection that had been kept */
};
/* How the request failed, by what came so far. Borrowed until the next model_begin(). */
const struct model_failure *model_failed(const struct model *model);
/* True if the answer was reasoning, with no text but it. */
bool model_only_reasoned(const struct model *model);
/* The HTTP status that the server answered with; 0: it did not answer. */
int model_http_status(const struct model *model);
/* Why it failed, for the log: never a text of a message or of the server's. "" if it did not. */
const char *model_cause(const struct model *model);

#endif
