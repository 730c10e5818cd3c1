/* One request: route, handler, log line. What the log says of it is decided here alone. */
#include "http/serve.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "chat/key.h"
#include "http/route.h"
#include "http/visitor.h"

/* More of a path than this tells nobody anything. */
#define LOGGED_PATH 200
#define NAME_CAP 128
/* A server's name, and what else is said of models. */
#define LOGGED_MODEL (ATTEMPTS_TRIES_SIZE + 128)
/* Seconds after which one who found all workers busy may try again. */
#define BUSY_RETRY_S 5

/* The members that only some lines have, each with a space before it. */
static void name_model(const struct http_context *context, char *out, size_t size)
{
	const char *server = context->log.server, *tries = context->log.tries;

	snprintf(out, size, "%s%s%s%s%s", server ? " server=" : "", server ? server : "",
		 *tries ? " tries=\"" : "", tries, *tries ? "\"" : "");
}

static struct str path_of(const struct request *request, const struct route *route)
{
	struct str path = request->raw_path;

	if (route && route->flags & ROUTE_PRIVATE)
		return str_from(route->path);
	if (path.n > LOGGED_PATH)
		path.n = LOGGED_PATH;
	return key_stands_in(path) ? STR("(a-key)") : path;
}

static void log_request(const struct http_context *context, const struct request *request,
			const struct route *route, const struct reply *reply, int64_t began)
{
	struct str path = path_of(request, route);
	const char *cause = context->log.cause;
	char first[24] = "-", model[LOGGED_MODEL];

	if (context->log.first_ms >= 0)
		snprintf(first, sizeof(first), "%" PRId64, context->log.first_ms);
	name_model(context, model, sizeof(model));
	log_info("request=%.*s method=%.*s path=%.*s status=%d first_ms=%s ms=%" PRId64
		 " tokens=%" PRId64 " worker=%u%s%s%s%s",
		 STR_ARGS(request->id), (int)(request->method.n < 16 ? request->method.n : 16),
		 request->method.p ? request->method.p : "", STR_ARGS(path), reply->status, first,
		 clock_ms() - began, context->log.tokens, context->holder, model,
		 *cause ? " cause=\"" : "", cause, *cause ? "\"" : "");
}

static bool find_route(const struct http_context *context, const struct request *request,
		       struct route_match *match)
{
	bool status = context->duty == HTTP_HEALTH;
	unsigned flags;

	if (!route_find(request->path, match))
		return false;
	flags = match->route->flags;
	return flags & ROUTE_SHOWS ? status && context->show && context->config->status_shows
				   : !status || flags & ROUTE_STATUS;
}

static unsigned status_of(int status)
{
#define COUNTER_STATUS(number) number,
	static const int statuses[] = { COUNTER_STATUSES(COUNTER_STATUS) };
#undef COUNTER_STATUS
	unsigned i = 0;

	while (i < COUNTER_STATUS_NONE && statuses[i] != status)
		i++;
	return i;
}

/* By the route's pattern: a path is its client's words. */
static void count(const struct http_context *context, const struct request *request,
		  const struct route_match *match, const struct reply *reply)
{
	const struct counters *counters = context->wait->counters;
	struct buf name;

	if (!counters)
		return;
	buf_init(&name, NAME_CAP);
	route_name(request->path, match, &name);
	counter_add_at(counters->slot, COUNTER_REQUESTS,
		       counter_name(counters->table, COUNTER_SET_ROUTE, buf_view(&name)),
		       status_of(reply->status), 1);
	buf_clear(&name);
}

/* Nothing has begun: it may be asked again. */
static void refuse(struct http_context *context, struct reply *reply)
{
	context->log.cause = context->duty == HTTP_REFUSE ? "no worker was free in time"
							  : "this worker had to stop";
	if (context->duty == HTTP_REFUSE && context->wait->counters)
		counter_add(context->wait->counters->slot, COUNTER_REFUSED, 1);
	reply->retry_s = BUSY_RETRY_S;
	reply_error(reply, ERROR_UNAVAILABLE);
}

static void dispatch(struct http_context *context, struct request *request, struct reply *reply,
		     const struct route_match *match)
{
	const struct route *route = match->route;

	if (!route) {
		reply_error(reply, ERROR_NOT_FOUND);
	} else if (request->preflight) {
		reply_preflight(reply, route->methods);
	} else if (!route_allows(route, request->method)) {
		reply->allow = route->methods;
		reply_error(reply, ERROR_METHOD);
	} else if (context->duty == HTTP_REFUSE || request->body_status == STATUS_STOPPED) {
		refuse(context, reply);
	} else {
		route->handle(context, request, reply, match);
	}
}

/* Who has nothing that looks like a key is not read at length. */
static size_t body_most(const struct http_context *context, const struct request *request,
			const struct route *route)
{
	struct str text;
	struct key key;

	if (!route || !route->dialect->long_bodies || route->dialect->read_key(request, &text) ||
	    key_read_any(route_keys(route), text, &key))
		return REQUEST_BODY_MAX;
	return (size_t)context->config->body_bytes;
}

void http_serve(struct http_context *context)
{
	const struct dialect *dialect;
	int64_t began = clock_ms();
	struct route_match match;
	struct request request;
	struct reply reply;

	context->log.end = TURN_NONE;
	context->log.cause = "";
	context->log.first_ms = -1;
	context->log.tokens = 0;
	context->log.requests = 0;
	context->log.server = NULL;
	context->log.tries[0] = '\0';
	request_read(&request, context->gateway, context->config);
	stage_request(context->wait->stage, request.id);
	if (!find_route(context, &request, &match))
		match.route = NULL;
	dialect = match.route ? match.route->dialect : route_dialect(request.path);
	request_read_body(&request, context->gateway, body_most(context, &request, match.route));
	reply_init(&reply, context->gateway, context->wait, &request, context->config, dialect);
	reply.any_origin = visitor_may_ask(&request, &match);
	dispatch(context, &request, &reply, &match);
	limit_release(context->limit, context->holder);
	count(context, &request, &match, &reply);
	log_request(context, &request, match.route, &reply, began);
	reply_clear(&reply);
	request_clear(&request);
}
