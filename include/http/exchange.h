/*
 * What all chat APIs share between a request and its reply: the limits, the key, the decision, the
 * exchange itself. What differs, the dialect of the route says.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "chat/completion.h"
#include "chat/turn.h"
#include "http/dialect.h"
#include "http/route.h"
#include "http/serve.h"
#include "wire/json.h"

struct exchange {
	struct http_context *context;
	const struct request *request;
	struct reply *reply;
	struct turn_context turn_context;
	struct turn turn;
	char token[KEY_TOKEN_SIZE];  /* made for this visitor; "" for one who has theirs */
	struct json *json;	     /* the body; NULL if it is bad */
	struct completion_said said; /* of a client that keeps its conversation */
	bool bad;		     /* anything in it is: the key is judged, then it is 400 */
	bool failed;		     /* it could not be read, for a reason of ours: 500 */
	/* Set by the dialect's `read` where no exchange is asked for: replies in its place. */
	void (*instead)(struct exchange *exchange);
	/* The dialect's own; its `read` may begin it. */
	_Alignas(max_align_t) unsigned char state[DIALECT_STATE];
};

/* The handler of every route that is for chatting: reads, runs, replies as reply->dialect says. */
void exchange_serve(struct http_context *context, struct request *request, struct reply *reply,
		    const struct route_match *match);

/*
 * What comes before any question to the database: the address's window, then the key, by its form.
 * False: the reply was sent.
 */
bool exchange_admit(struct http_context *context, const struct request *request,
		    struct reply *reply, const struct route_match *match, struct key *out);
/* The key alone, for what no address's window counts (L5). */
bool exchange_take_key(struct http_context *context, const struct request *request,
		       struct reply *reply, const struct route_match *match, struct key *out);
/* What a turn, or who listens to another's, needs of a worker. */
struct turn_context exchange_turn_context(const struct http_context *context);
/* A place among the open ones of its address (G10), free again at the request's end. False: as above. */
bool exchange_hold_place(struct http_context *context, const struct request *request,
			 struct reply *reply);
/* 401, or 429 once this address had too many failed keys (G11). */
void exchange_refuse_key(struct http_context *context, const struct request *request,
			 struct reply *reply);

/* 503 where the database is away (G6), else 500: its call failed; `otherwise` is then the log's cause. */
void exchange_refuse_call(struct http_context *context, struct reply *reply, enum status status,
			  const char *otherwise);

/* An id of ours has no more (G4). */
#define EXCHANGE_ID_MAX 40
/* What cannot be an id of ours names nothing: the empty one, which is nobody's. */
struct str exchange_id(struct str text);
/* The same of a chatbot that may be called by its name (O2): absent. */
struct str exchange_chatbot(struct str text);

/* For a dialect's `read`. */

/* A member of the body. */
struct json_node exchange_member(const struct exchange *exchange, const char *name);
/* The same of one that is a string; absent: it is none. */
struct str exchange_text(const struct exchange *exchange, const char *name);
/* Takes what is said (G4); absent is as wrong as too long. */
void exchange_take_message(struct exchange *exchange, struct str message);
/* Takes the member `message`. */
void exchange_read_message(struct exchange *exchange);

#endif
