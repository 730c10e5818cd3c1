/*
 * One exchange, from its start to its stored end: the engine of both APIs. It begins in the
 * database, asks the model, passes every delta up to the sink, stores the answer, and only then
 * says it is done. Knows no HTTP; reading the request and framing the reply are http/'s.
 */
#ifndef CHAT_TURN_H
#define CHAT_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/broadcast.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/wait.h"
#include "chat/attempts.h"
#include "chat/breaker.h"
#include "chat/event.h"
#include "chat/model.h"
#include "chat/prompt.h"
#include "chat/stops.h"
#include "chat/store.h"
#include "chat/talks.h"
#include "edge/db.h"
#include "wire/config.h"

/* What a worker keeps from one exchange to the next; borrowed. */
struct turn_context {
	const struct config *config;
	struct db *db;
	struct model *model;
	struct wait *wait;
	struct breaker *breaker;     /* NULL: none */
	bool alone;		     /* nobody asks for us which exchanges are to end */
	struct broadcast *broadcast; /* where others may hear its answers; NULL: nobody can */
	uint32_t place;		     /* its own there */
};

enum turn_end {
	TURN_NONE,     /* not played */
	TURN_DONE,     /* stored, and said */
	TURN_REPLAYED, /* stored before, said again */
	TURN_LEFT,     /* the client went away */
	TURN_STOPPED,  /* somebody had it stopped */
	TURN_FAILED,   /* it ended in `error` */
};

/* A statement beside the stream. */
enum turn_beside { TURN_RENEWS, TURN_ASKS, TURN_LEAVES };

struct turn {
	const struct turn_context *context;
	struct store_exchange
		begin;		  /* the caller fills it in between turn_init() and turn_open() */
	struct store_begun begun; /* after turn_open() */
	bool says_how; /* the caller's: of an answer given again, its client reads how it ended */
	struct talks_status told; /* ... which this says then */
	struct db_rows *told_rows;
	/* What its client says was said before, in place of what is stored; NULL: nothing. Borrowed. */
	const struct prompt_message *said;
	size_t said_count;
	struct prompt prompt;	  /* while it is played */
	struct attempts attempts; /* ... and afterwards: who was asked, and how often */
	bool full;		  /* nobody could be: none of its servers had a place */
	int64_t began_at;	  /* clock_ms() of turn_init() */
	int64_t deadline;	  /* when it must be over */
	struct buf answer;
	bool heard; /* it lies where others may hear it */
	enum turn_end end;
	enum status failed; /* what ended the model's part; STATUS_OK if it was whole */
	bool stopped;	    /* ... since somebody had asked for it */
	const char *cause;  /* of a failure, for the log; "" if none */
	int64_t first_ms;   /* to the first token; -1: none came */
	unsigned tokens;    /* deltas passed on */
	unsigned counted;   /* of them, and when the last one came: chat/turn_count's */
	int64_t counted_at;
	enum attempts_step step; /* why a model is asked again */
	struct sink *sink;
	struct sink nobody; /* in its place, once its client has left and it goes on */
	bool left;	    /* ... which it has */
	int64_t renew_at;   /* from here on chat/turn_keep's */
	int64_t ask_at;
	int64_t left_at; /* when it ends since nobody is there; CLOCK_NEVER */
	int64_t left_ms; /* for how long it goes on so; -1: not known yet */
	enum turn_beside beside_is;
	struct stops stops;
	struct db_query beside;
};

/* A new exchange with new ids; `turn` is the caller's storage. */
void turn_init(struct turn *turn, const struct turn_context *context);
void turn_clear(struct turn *turn);
/* Begins it in the database: see turn->begun for the decision. As store_begin(). */
enum status turn_open(struct turn *turn) MUST_CHECK;
/*
 * Plays an exchange that was started, or replays one that had been: events go to `sink`, the last
 * of them DONE or ERROR (unless its client left). `limit_ms` from the turn's beginning bounds it.
 */
void turn_play(struct turn *turn, struct sink *sink, int64_t limit_ms);

/* For chat/turn_ask: */

/* Makes the request ready for attempts_server(). */
void turn_prepare(struct turn *turn);
/* Sends it, and passes the answer on. As model_next(), or what the sink says. */
enum status turn_relay(struct turn *turn) MUST_CHECK;

#endif
