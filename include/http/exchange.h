/*
 * What both chat APIs share between reading their request and framing their reply: the key, the
 * common members of the body, the caps, the decision, the exchange itself.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdbool.h>

#include "chat/turn.h"
#include "http/serve.h"
#include "wire/json.h"

struct exchange {
	struct http_context *context;
	const struct request *request;
	struct reply *reply;
	struct turn_context turn_context;
	struct turn turn;
	struct json *json; /* the body; NULL if it is bad */
	bool bad;	   /* anything in it is: the key is judged, then it is 400 */
};

/* Reads the body, its `message` and the Idempotency-Key. */
void exchange_init(struct exchange *exchange, struct http_context *context,
		   const struct request *request, struct reply *reply);
void exchange_clear(struct exchange *exchange);
/* A member of the body. */
struct json_node exchange_member(const struct exchange *exchange, const char *name);

/*
 * The key that the client sent; false: it is none, or cannot be read now, and the reply was sent:
 * 401, 429 once this address had too many failed keys (G11), or 500.
 */
bool exchange_take_key(struct http_context *context, const struct request *request,
		       struct reply *reply, enum key_kind kind, struct str text, struct key *out);
/*
 * Runs the exchange, its turn.begin filled in, and sends the whole reply. `stream` is the style of
 * a stream; which of stream and JSON it is, turn.begin.stream says, or the chatbot's setting.
 */
void exchange_run(struct exchange *exchange, enum frame_style stream);

#endif
