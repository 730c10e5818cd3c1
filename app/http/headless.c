/*
 * The headless API: one widget or front end, conversations named by sessionId, NDJSON (H1 to H4).
 */
#include "http/exchange.h"

#define SESSION_MAX 128

/* ^[A-Za-z0-9._:-]{1,128}$ */
static bool session_valid(struct str session)
{
	return session.n >= 1 && session.n <= SESSION_MAX && str_only(session, STR("._:-"));
}

/* Where both headers are present, even empty, x-api-key counts (H2). */
static struct str key_header(const struct request *request)
{
	struct str key = request_header(request, "HTTP_X_API_KEY");

	return key.p ? key : request_header(request, "HTTP_X_WIDGET_API_KEY");
}

static void chat(struct http_context *context, struct request *request, struct reply *reply,
		 bool stream)
{
	const struct config *config = context->config;
	struct str text = key_header(request);
	struct exchange exchange;
	struct key key;

	if (!limit_count(context->limit, LIMIT_REQUESTS, str_from(request->address),
			 config->address_limit, config->address_window_ms, &reply->retry_s)) {
		context->log.cause = "too many requests from this address";
		reply_error(reply, ERROR_TOO_MANY);
		return;
	}
	reply->retry_s = 0;
	if (text.n == 0) {
		reply_error(reply, ERROR_NO_KEY);
		return;
	}
	if (!exchange_take_key(context, request, reply, KEY_WIDGET, text, &key))
		return;
	exchange_init(&exchange, context, request, reply);
	exchange.turn.begin.key = key;
	exchange.turn.begin.stream = stream;
	if (!json_get_string(exchange_member(&exchange, "sessionId"),
			     &exchange.turn.begin.session) ||
	    !session_valid(exchange.turn.begin.session))
		exchange.bad = true;
	exchange_run(&exchange, FRAME_NDJSON);
	exchange_clear(&exchange);
}

void headless_chat(struct http_context *context, struct request *request, struct reply *reply,
		   struct str variable)
{
	(void)variable;
	chat(context, request, reply, false);
}

void headless_stream(struct http_context *context, struct request *request, struct reply *reply,
		     struct str variable)
{
	(void)variable;
	chat(context, request, reply, true);
}
