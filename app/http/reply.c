/*
 * Heads and whole replies. Not for an exchange's events, which are stream.c's, nor for the words
 * of an error, which are its dialect's.
 */
#include "http/reply.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/hot.h"
#include "http/talks.h"
#include "http/visitor.h"

/* Above any stored answer with every byte escaped, and its head. */
#define REPLY_CAP (64 << 20)
/* What a page's request may carry (G7). */
#define ALLOWED                                                                                    \
	"x-api-key, x-widget-api-key, Authorization, Content-Type, Idempotency-Key, X-Request-Id"

void reply_init(struct reply *reply, struct gateway *gateway, struct wait *wait,
		const struct request *request, const struct config *config,
		const struct dialect *dialect)
{
	*reply = (struct reply){
		.gateway = gateway,
		.wait = wait,
		.request = request,
		.config = config,
		.dialect = dialect,
		.limit = -1,
	};
	buf_init_in(&reply->out, reply->room, sizeof(reply->room), REPLY_CAP);
}

void reply_clear(struct reply *reply)
{
	reply->wait->beat = NULL;
	reply->wait->beat_at = CLOCK_NEVER;
	buf_wipe(&reply->out);
	explicit_bzero(reply->room, sizeof(reply->room));
}

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 409, "Conflict" },
		{ 405, "Method Not Allowed" },
		{ 429, "Too Many Requests" },
		{ 503, "Service Unavailable" },
	};
	size_t i;

	for (i = 0; i < COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Internal Server Error";
}

static void put_line(struct buf *out, const char *name, struct str value)
{
	buf_puts(out, name);
	buf_str(out, value);
	buf_puts(out, "\r\n");
}

/* True if a page may read it that is of another origin than ours. */
static bool readable(const struct reply *reply)
{
	return reply->any_origin || reply->request->origin_listed;
}

static void put_cors(struct reply *reply)
{
	const char *more = reply->dialect->exposed_headers;

	if (*reply->config->allowed_origins)
		buf_puts(&reply->out, "Vary: Origin\r\n");
	if (!readable(reply))
		return;
	put_line(&reply->out, "Access-Control-Allow-Origin: ",
		 reply->any_origin ? STR("*") : reply->request->origin);
	buf_printf(&reply->out,
		   "Access-Control-Expose-Headers: X-Request-Id, Retry-After, "
		   "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset%s%s%s\r\n",
		   reply->any_origin ? ", " VISITOR_TOKEN : "", more ? ", " : "", more ? more : "");
}

/* What is known by now, and belongs to no kind of reply. */
static void put_known(struct reply *reply)
{
	struct buf *out = &reply->out;

	if (reply->allow)
		buf_printf(out, "Allow: %s\r\n", reply->allow);
	if (reply->visitor)
		put_line(out, VISITOR_TOKEN ": ", str_from(reply->visitor));
	if (reply->retry_s)
		buf_printf(out, "Retry-After: %" PRId64 "\r\n", reply->retry_s);
	if (reply->limit >= 0)
		buf_printf(out,
			   "X-RateLimit-Limit: %" PRId64 "\r\nX-RateLimit-Remaining: %" PRId64
			   "\r\nX-RateLimit-Reset: %" PRId64 "\r\n",
			   reply->limit, reply->remaining, reply->reset);
}

void reply_put_head(struct reply *reply, const struct reply_head *head)
{
	static const char *const caches[] = {
		[CACHE_NOTHING] = "Cache-Control: no-store\r\n",
		[CACHE_STREAM] = ("Cache-Control: no-store, no-transform\r\n"
				  "X-Accel-Buffering: no\r\n"),
		[CACHE_REVALIDATE] = "Cache-Control: no-cache\r\n",
		[CACHE_MINUTES] = "Cache-Control: public, max-age=300\r\n",
		[CACHE_FOREVER] = "Cache-Control: public, max-age=31536000, immutable\r\n",
	};
	const struct reply_header *more = head->headers;
	struct buf *out = &reply->out;

	reply->status = head->status;
	buf_printf(out, "Status: %d %s\r\n", head->status, reason_of(head->status));
	if (head->type)
		put_line(out, "Content-Type: ", str_from(head->type));
	if (head->encoding)
		put_line(out, "Content-Encoding: ", str_from(head->encoding));
	put_line(out, "X-Request-Id: ", reply->request->id);
	buf_puts(out, caches[head->cache]);
	buf_puts(out, "X-Content-Type-Options: nosniff\r\n"
		      "Referrer-Policy: no-referrer\r\n");
	put_cors(reply);
	put_known(reply);
	if (head->etag)
		put_line(out, "ETag: ", str_from(head->etag));
	for (; more && more->name; more++)
		buf_printf(out, "%s: %s\r\n", more->name, more->value);
	buf_puts(out, "\r\n");
}

HOT enum status reply_check(struct reply *reply, size_t len)
{
	if (!reply->out.failed)
		return STATUS_OK;
	buf_undo(&reply->out, len);
	return STATUS_NOMEM;
}

static HOT enum status hand_over(struct reply *reply)
{
	struct str bytes = buf_view(&reply->out);

	if (buf_check(&reply->out))
		return STATUS_NOMEM;
	return reply->last ? gateway_end(reply->gateway, bytes)
			   : gateway_write(reply->gateway, bytes);
}

HOT void reply_flush(struct reply *reply)
{
	if (reply->out.len && !reply->closed) {
		enum status status = hand_over(reply);

		reply->closed = status != STATUS_OK;
		reply->stopped = status == STATUS_STOPPED;
		reply->wait->beat_at = clock_ms() + reply->config->heartbeat_ms;
	}
	buf_reset(&reply->out);
}

static bool method_is(const struct reply *reply, struct str method)
{
	return str_equal(reply->request->method, method);
}

/* The tag as If-None-Match compares it (RFC 9110, 8.8.3.2): whether it is a weak one does not count. */
static struct str tag_of(struct str text)
{
	text = str_trim(text, STR_SPACE);
	return str_starts(text, STR("W/")) ? str_skip(text, 2) : text;
}

/* True if the client has it: then a 304 says so (RFC 9110, 13.1.2). */
static bool client_has(const struct reply *reply, const struct reply_head *head)
{
	struct str tags = request_header(reply->request, "HTTP_IF_NONE_MATCH");

	if (head->status != 200 || !head->etag ||
	    !(method_is(reply, STR("GET")) || method_is(reply, STR("HEAD"))))
		return false;
	if (str_equal(str_trim(tags, STR_SPACE), STR("*")))
		return true;
	while (tags.n)
		if (str_equal(tag_of(str_cut(&tags, STR(","))), tag_of(str_from(head->etag))))
			return true;
	return false;
}

void reply_send(struct reply *reply, const struct reply_head *head, struct str body)
{
	struct reply_head had = *head;

	if (client_has(reply, head)) {
		had.status = 304;
		had.type = had.encoding = NULL;
		body = STR("");
	}
	reply_put_head(reply, &had);
	if (!method_is(reply, STR("HEAD")))
		buf_str(&reply->out, body);
	if (reply_check(reply, 0))
		reply_error(reply, ERROR_INTERNAL);
	else
		reply_flush(reply);
}

void reply_data(struct reply *reply, int status, struct str json)
{
	const struct dialect *dialect = reply->dialect;
	bool body = json.p || dialect->put_data;

	reply_put_head(reply, &(struct reply_head){ .status = body ? status : 204,
						    .type = body ? dialect->answer_type : NULL });
	if (!method_is(reply, STR("HEAD"))) {
		if (dialect->put_data)
			dialect->put_data(&reply->out, json);
		else
			buf_str(&reply->out, json);
	}
	reply_flush(reply);
}

void reply_error(struct reply *reply, enum http_error error)
{
	const struct dialect *dialect = reply->dialect;

	reply_put_head(reply,
		       &(struct reply_head){ .status = dialect->status ? dialect->status(error)
								       : error_status(error),
					     .type = dialect->error_type });
	if (!method_is(reply, STR("HEAD")))
		dialect->put_error(&reply->out, error, reply->retry_s);
	reply_flush(reply);
}

void reply_preflight(struct reply *reply, const char *methods)
{
	const char *more = reply->dialect->request_headers;
	const struct reply_header allowed[] = {
		{ "Access-Control-Allow-Methods", methods },
		{ "Access-Control-Allow-Headers", reply->any_origin ? ALLOWED
							  ", " VISITOR_TOKEN ", " VISITOR_IDENTITY
							  ", " TALKS_SESSION ", Last-Event-ID"
								    : ALLOWED },
		{ "Access-Control-Max-Age", "600" },
		{ more ? "Access-Control-Allow-Headers" : NULL, more },
		{ NULL, NULL },
	};
	const struct reply_head head = {
		.status = 204,
		.headers = readable(reply) ? allowed : NULL,
	};

	reply_send(reply, &head, STR(""));
}
