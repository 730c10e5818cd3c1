/*
 * The reply: head, then a body, or a stream of events. It is also the sink that an exchange's
 * events go to, and the only place that knows how each API frames them.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "base/wait.h"
#include "chat/event.h"
#include "chat/limit.h"
#include "edge/gateway.h"
#include "http/request.h"
#include "wire/config.h"
#include "wire/frame.h"

enum reply_api { REPLY_HEADLESS, REPLY_CHATBOT };

/* Why a request gets no answer; see the table in reply_error.c. */
enum reply_error {
	ERROR_NOT_FOUND,
	ERROR_METHOD,
	ERROR_TOO_MANY,
	ERROR_UNAUTHORIZED,
	ERROR_NO_KEY,
	ERROR_MALFORMED_KEY,
	ERROR_INVALID,
	ERROR_KEY_REUSED,
	ERROR_IN_PROGRESS,
	ERROR_CHATBOT_NOT_FOUND,
	ERROR_CONVERSATION_NOT_FOUND,
	ERROR_NO_CREDIT,
	ERROR_INTERNAL,
	ERROR_UNAVAILABLE,
	ERROR_COUNT
};

struct reply {
	struct sink sink; /* first: a sink is its reply */
	struct gateway *gateway;
	struct wait *wait;
	const struct request *request;
	const struct config *config;
	enum reply_api api;
	enum frame_style style; /* of events; FRAME_JSON: one body at the end */
	struct buf out;
	int status;  /* HTTP's, once the head is written; 0 before */
	bool closed; /* the client is gone */
	/* What the head says where it is known. */
	int64_t limit, remaining, reset; /* limit -1: not said */
	int64_t retry_s;		 /* 0: not said */
	const char *allow;		 /* NULL: not said */
	/*
	 * What an exchange holds of the caps is given back before its last event goes out. NULL:
	 * nothing.
	 */
	struct limit *held;
	uint32_t holder;
};

void reply_init(struct reply *reply, struct gateway *gateway, struct wait *wait,
		const struct request *request, const struct config *config);
void reply_clear(struct reply *reply);

/* Sends a whole reply. `type` NULL: without a body. A HEAD request gets the head alone. */
void reply_send(struct reply *reply, int status, const char *type, struct str body);
/* Sends an error with its API's status and body, and with what the struct's head members say. */
void reply_error(struct reply *reply, enum reply_error error);
/* The 204 of a preflight (G7). */
void reply_preflight(struct reply *reply, const char *methods);

/* The row of reply_error's table. */
struct reply_error_row {
	int status;
	const char *headless;
	const char *chatbot;
	const char *code;
};
const struct reply_error_row *reply_error_row(enum reply_error error);

/* Appends the head, its empty line included. For reply_send() and the stream only. */
void reply_head(struct reply *reply, int status, const char *type, bool stream);
/* Writes out what was appended; afterwards `closed` tells. Moves the heartbeat on. */
void reply_flush(struct reply *reply);
/* From here on events go out as `style` frames them. */
void reply_as_sink(struct reply *reply, enum frame_style style);

#endif
