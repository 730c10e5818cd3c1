/*
 * One HTTP request and its answer, and the server they belong to: what the handlers share.
 */
#ifndef MODEL_EXCHANGE_H
#define MODEL_EXCHANGE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "ask.h"
#include "gates.h"
#include "options.h"
#include "record.h"
#include "script.h"
#include "stream.h"
#include "text.h"

struct server {
	const struct options *options;
	struct gates gates;
	struct records records;
	int stop; /* an eventfd: readable once the program is to end */
};

struct exchange {
	struct server *server;
	struct MHD_Connection *connection;
	const char *method;
	const char *path;
	struct text body;
	bool too_large;
	uint64_t record; /* 0: not recorded */
	struct ask ask;
	struct script script;
	struct stream stream;
};

/* The socket of the client. */
int exchange_client(const struct exchange *exchange);

/* Answers with these bytes, which are taken; `headers` (JSON strings by name) may be NULL. */
enum MHD_Result exchange_reply(struct exchange *exchange, unsigned code, const char *type,
			       struct text *body, struct json_object *headers);
/* Answers with OpenAI's error object. */
enum MHD_Result exchange_fault(struct exchange *exchange, const struct fault *fault);
/* No answer: the connection is closed, for this reason. */
enum MHD_Result exchange_close(struct exchange *exchange, enum status why);

/* The handlers (answer.c, control.c). */
enum MHD_Result answer_chat(struct exchange *exchange);
enum MHD_Result answer_models(struct exchange *exchange);
enum MHD_Result control_requests(struct exchange *exchange);
enum MHD_Result control_wait(struct exchange *exchange);
enum MHD_Result control_open(struct exchange *exchange);
enum MHD_Result control_reset(struct exchange *exchange);

#endif
