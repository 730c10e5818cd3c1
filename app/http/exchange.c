/* An exchange's way through HTTP, the same for every dialect. Not for what one of them looks like. */
#include "http/exchange.h"

#include "base/heap.h"
#include "http/attach.h"
#include "http/stream.h"
#include "http/visitor.h"
#include "wire/utf8.h"

/* The contract's G4 and I1. */
#define MESSAGE_CHARS 4000
/* A chatbot's name has no more. */
#define CHATBOT_CHARS 200
#define IDEMPOTENCY_KEY_MAX 255
/* Seconds after which a client may try again when a part of ours is away or full. */
#define UNAVAILABLE_RETRY_S 5
#define FULL_RETRY_S 1
/* A long body may have a value for so many bytes (O5): a short one takes hundreds once it is parsed. */
#define BYTES_A_VALUE 16

struct json_node exchange_member(const struct exchange *exchange, const char *name)
{
	if (!exchange->json)
		return (struct json_node){ NULL };
	return json_member(json_root(exchange->json), name);
}

struct str exchange_id(struct str text)
{
	return text.n <= EXCHANGE_ID_MAX && str_only(text, STR("_-")) ? text : STR("");
}

struct str exchange_chatbot(struct str text)
{
	size_t chars;

	return utf8_valid(text, &chars) && chars >= 1 && chars <= CHATBOT_CHARS ? text : STR_NONE;
}

struct str exchange_text(const struct exchange *exchange, const char *name)
{
	struct str text = STR_NONE;

	(void)json_get_string(exchange_member(exchange, name), &text);
	return text;
}

void exchange_take_message(struct exchange *exchange, struct str message)
{
	size_t chars;

	if (utf8_valid(message, &chars) && chars >= 1 && chars <= MESSAGE_CHARS)
		exchange->turn.begin.message = message;
	else
		exchange->bad = true;
}

void exchange_read_message(struct exchange *exchange)
{
	exchange_take_message(exchange, exchange_text(exchange, "message"));
}

static void read_idempotency_key(struct exchange *exchange)
{
	struct str key = request_header(exchange->request, "HTTP_IDEMPOTENCY_KEY");
	size_t i;

	if (!key.p)
		return;
	if (key.n < 1 || key.n > IDEMPOTENCY_KEY_MAX)
		exchange->bad = true;
	for (i = 0; i < key.n; i++)
		if (key.p[i] < 0x20 || key.p[i] > 0x7e)
			exchange->bad = true;
	/* Not run without its key: the next try would run too. */
	if (key_hash(buf_view(&exchange->request->body), exchange->turn.begin.body_hash))
		exchange->failed = true;
	if (!exchange->bad)
		exchange->turn.begin.idempotency_key = key;
}

struct turn_context exchange_turn_context(const struct http_context *context)
{
	return (struct turn_context){
		.config = context->config,
		.db = context->db,
		.model = context->model,
		.wait = context->wait,
		.breaker = context->breaker,
		.alone = context->alone,
		.broadcast = context->broadcast,
		.place = context->holder,
	};
}

static void init(struct exchange *exchange, struct http_context *context,
		 const struct request *request, struct reply *reply)
{
	*exchange = (struct exchange){
		.context = context,
		.request = request,
		.reply = reply,
		.turn_context = exchange_turn_context(context),
	};
	turn_init(&exchange->turn, &exchange->turn_context);
	exchange->turn.begin.request_id = request->id;
	exchange->turn.begin.since = gateway_since(context->gateway);
}

static void clear(struct exchange *exchange)
{
	turn_clear(&exchange->turn);
	completion_clear(&exchange->said);
	json_free(exchange->json);
}

static enum status parse(const struct exchange *exchange, struct json **out)
{
	struct str body = buf_view(&exchange->request->body);
	int64_t most = exchange->context->config->body_bytes / BYTES_A_VALUE;

	return body.n > REQUEST_BODY_MAX ? json_parse_most(body, (unsigned)most, out)
					 : json_parse(body, out);
}

static void read_request(struct exchange *exchange, const struct route_match *match)
{
	const struct request *request = exchange->request;
	unsigned flags = match->route->flags;
	enum status status = request->body_status;

	if (status == STATUS_OK)
		status = parse(exchange, &exchange->json);
	exchange->bad = status != STATUS_OK;
	exchange->failed = status == STATUS_NOMEM;
	if (flags & (ROUTE_STREAM | ROUTE_WHOLE))
		exchange->turn.begin.stream = (flags & ROUTE_STREAM) != 0;
	exchange->reply->dialect->read(exchange, match);
	read_idempotency_key(exchange);
}

/* Nobody reads a long one's bytes again: they would be kept three times while the model talks. */
static void drop_long_body(struct exchange *exchange, struct request *request)
{
	if (!exchange->reply->dialect->long_bodies || request->body.len <= REQUEST_BODY_MAX)
		return;
	buf_wipe(&request->body);
	if (exchange->json)
		json_drop_text(exchange->json);
	heap_slim();
}

void exchange_refuse_key(struct http_context *context, const struct request *request,
			 struct reply *reply)
{
	const struct config *config = context->config;

	if (limit_count(context->limit, LIMIT_FAILED_KEY, str_from(request->address),
			config->failed_key_limit, config->address_window_ms, &reply->retry_s)) {
		reply_error(reply, ERROR_UNAUTHORIZED);
		return;
	}
	context->log.cause = "too many failed keys from this address";
	reply_error(reply, ERROR_TOO_MANY);
}

void exchange_refuse_call(struct http_context *context, struct reply *reply, enum status status,
			  const char *otherwise)
{
	if (status == STATUS_UNAVAILABLE || status == STATUS_TIMEOUT) {
		context->log.cause = "the database is away";
		reply->retry_s = UNAVAILABLE_RETRY_S;
		reply_error(reply, ERROR_UNAVAILABLE);
	} else {
		context->log.cause = otherwise;
		reply_error(reply, ERROR_INTERNAL);
	}
}

/* A back end calls for many from its own address: with a workspace key no limit of that counts. */
static bool counts(const struct reply *reply, const struct request *request,
		   enum dialect_limit limit)
{
	const struct dialect *dialect = reply->dialect;
	struct str text;

	if (!(dialect->limits & limit))
		return false;
	return !(dialect->keys & KEY_SET(KEY_WORKSPACE)) || dialect->read_key(request, &text) ||
	       !key_begins(KEY_WORKSPACE, text);
}

/* The functions that follow answer true if it may go on; else the reply was sent. */

static bool within_window(struct http_context *context, const struct request *request,
			  struct reply *reply)
{
	const struct config *config = context->config;
	int64_t retry_s;

	if (!counts(reply, request, DIALECT_ADDRESS_WINDOW) ||
	    limit_count(context->limit, LIMIT_REQUESTS, str_from(request->address),
			config->address_limit, config->address_window_ms, &retry_s))
		return true;
	context->log.cause = "too many requests from this address";
	reply->retry_s = retry_s;
	reply_error(reply, ERROR_TOO_MANY);
	return false;
}

bool exchange_take_key(struct http_context *context, const struct request *request,
		       struct reply *reply, const struct route_match *match, struct key *out)
{
	struct str text = STR_NONE;
	enum http_error error = reply->dialect->read_key(request, &text);
	enum status status;

	if (error) {
		reply_error(reply, error);
		return false;
	}
	status = key_read_any(route_keys(match->route), text, out);
	if (status == STATUS_INVALID) {
		exchange_refuse_key(context, request, reply);
	} else if (status) {
		context->log.cause = "the key cannot be hashed";
		reply_error(reply, ERROR_INTERNAL);
	}
	return !status;
}

bool exchange_admit(struct http_context *context, const struct request *request,
		    struct reply *reply, const struct route_match *match, struct key *out)
{
	return within_window(context, request, reply) &&
	       exchange_take_key(context, request, reply, match, out);
}

static bool was_read(struct exchange *exchange)
{
	if (!exchange->failed)
		return true;
	exchange->context->log.cause = "there was no memory for the request";
	reply_error(exchange->reply, ERROR_INTERNAL);
	return false;
}

static bool visits(struct exchange *exchange)
{
	struct store_exchange *begin = &exchange->turn.begin;

	if (begin->key.kind != KEY_SITE)
		return true;
	visitor_read(exchange->request, &begin->visitor, exchange->token);
	return visitor_within(exchange->context, exchange->request, exchange->reply,
			      &begin->visitor);
}

bool exchange_hold_place(struct http_context *context, const struct request *request,
			 struct reply *reply)
{
	if (!counts(reply, request, DIALECT_ADDRESS_OPEN) ||
	    limit_hold(context->limit, context->holder, LIMIT_OPEN, str_from(request->address),
		       context->config->address_open))
		return true;
	context->log.cause = "too many open exchanges from this address";
	reply->retry_s = FULL_RETRY_S;
	reply_error(reply, ERROR_TOO_MANY);
	return false;
}

static bool open_turn(struct exchange *exchange)
{
	struct http_context *context = exchange->context;
	struct reply *reply = exchange->reply;
	enum status status;

	/* A client that left while it waited in the backlog was accepted like a living one. */
	if (wait_client_left(context->wait)) {
		context->log.cause = "the client left before its exchange began";
		return false;
	}
	if (exchange->bad)
		exchange->turn.begin.message = STR_NONE;
	status = turn_open(&exchange->turn);
	if (status == STATUS_OK)
		return true;
	exchange_refuse_call(context, reply, status, "the exchange could not be recorded");
	return false;
}

/* What the database decided. */
static bool allowed(struct exchange *exchange)
{
	static const enum http_error errors[] = {
		[STORE_STARTED] = ERROR_NONE,
		[STORE_REPLAY] = ERROR_NONE,
		[STORE_BAD_REQUEST] = ERROR_INVALID,
		[STORE_UNAUTHORIZED] = ERROR_UNAUTHORIZED,
		[STORE_FORBIDDEN] = ERROR_FORBIDDEN,
		[STORE_NO_VISITOR] = ERROR_NO_VISITOR,
		[STORE_KEY_REUSED] = ERROR_KEY_REUSED,
		[STORE_IN_PROGRESS] = ERROR_IN_PROGRESS,
		[STORE_CHATBOT_NOT_FOUND] = ERROR_CHATBOT_NOT_FOUND,
		[STORE_FULL] = ERROR_TOO_MANY,
		[STORE_LIMITED] = ERROR_TOO_MANY,
		[STORE_VISITORS_LIMITED] = ERROR_TOO_MANY,
		[STORE_CONVERSATION_NOT_FOUND] = ERROR_CONVERSATION_NOT_FOUND,
		[STORE_NO_CREDIT] = ERROR_NO_CREDIT,
	};
	const struct store_begun *begun = &exchange->turn.begun;
	struct reply *reply = exchange->reply;
	enum http_error error = errors[begun->outcome];

	reply->limit = begun->limit;
	reply->remaining = begun->remaining;
	reply->reset = begun->reset;
	visitor_warn(exchange->context, begun);
	if (begun->outcome == STORE_STARTED && *exchange->token)
		reply->visitor = exchange->token;
	if (!error)
		return true;
	if (attach_repeat(exchange))
		return false;
	reply->retry_s = begun->retry_s;
	exchange->context->log.cause = store_outcome_name(begun->outcome);
	if (error == ERROR_UNAUTHORIZED)
		exchange_refuse_key(exchange->context, exchange->request, reply);
	else
		reply_error(reply, error);
	return false;
}

static void play(struct exchange *exchange)
{
	struct http_context *context = exchange->context;
	const struct config *config = context->config;
	struct reply *reply = exchange->reply;
	struct turn *turn = &exchange->turn;

	reply->held = context->limit;
	reply->holder = context->holder;
	turn->says_how = reply->dialect->says_how;
	stream_begin(reply, turn->begun.stream, exchange->state);
	turn_play(turn, &reply->sink, turn->begun.stream ? config->exchange_ms : config->json_ms);
	context->log.end = turn->end;
	context->log.cause = turn->cause;
	context->log.first_ms = turn->first_ms;
	context->log.tokens = turn->tokens;
	context->log.requests = turn->attempts.requests;
	if (turn->attempts.requests)
		context->log.server = attempts_server(&turn->attempts)->name;
	memcpy(context->log.tries, turn->attempts.tries, sizeof(context->log.tries));
}

static void run(struct exchange *exchange)
{
	if (exchange->instead)
		exchange->instead(exchange);
	else if (visits(exchange) &&
		 exchange_hold_place(exchange->context, exchange->request, exchange->reply) &&
		 open_turn(exchange) && allowed(exchange))
		play(exchange);
}

void exchange_serve(struct http_context *context, struct request *request, struct reply *reply,
		    const struct route_match *match)
{
	struct exchange exchange;
	struct key key;

	if (!exchange_admit(context, request, reply, match, &key))
		return;
	init(&exchange, context, request, reply);
	exchange.turn.begin.key = key;
	read_request(&exchange, match);
	drop_long_body(&exchange, request);
	if (was_read(&exchange))
		run(&exchange);
	clear(&exchange);
}
