/*
 * Heads and whole replies. The stream of an exchange is stream.c, the errors' words reply_error.c.
 */
#include "http/reply.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/count.h"

/* Above any stored answer with every byte escaped, and its head. */
#define REPLY_CAP (64 << 20)

void reply_init(struct reply *reply, struct gateway *gateway, struct wait *wait,
		const struct request *request, const struct config *config)
{
	*reply = (struct reply){
		.gateway = gateway,
		.wait = wait,
		.request = request,
		.config = config,
		.limit = -1,
	};
	buf_init(&reply->out, REPLY_CAP);
}

void reply_clear(struct reply *reply)
{
	reply->wait->beat = NULL;
	reply->wait->beat_at = CLOCK_NEVER;
	buf_wipe(&reply->out);
}

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 204, "No Content" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
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

static void add_cors(struct reply *reply)
{
	if (*reply->config->allowed_origins)
		buf_puts(&reply->out, "Vary: Origin\r\n");
	if (!reply->request->origin_listed)
		return;
	buf_printf(&reply->out, "Access-Control-Allow-Origin: %.*s\r\n",
		   STR_ARGS(reply->request->origin));
	buf_puts(&reply->out, "Access-Control-Expose-Headers: X-Request-Id, Retry-After, "
			      "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset\r\n");
}

void reply_head(struct reply *reply, int status, const char *type, bool stream)
{
	struct buf *out = &reply->out;

	reply->status = status;
	buf_printf(out, "Status: %d %s\r\n", status, reason_of(status));
	if (type)
		buf_printf(out, "Content-Type: %s\r\n", type);
	buf_printf(out, "X-Request-Id: %.*s\r\n", STR_ARGS(reply->request->id));
	buf_puts(out, stream ? "Cache-Control: no-store, no-transform\r\n"
			       "X-Accel-Buffering: no\r\n"
			     : "Cache-Control: no-store\r\n");
	buf_puts(out, "X-Content-Type-Options: nosniff\r\n"
		      "Referrer-Policy: no-referrer\r\n");
	add_cors(reply);
	if (reply->allow)
		buf_printf(out, "Allow: %s\r\n", reply->allow);
	if (reply->retry_s)
		buf_printf(out, "Retry-After: %" PRId64 "\r\n", reply->retry_s);
	if (reply->limit >= 0)
		buf_printf(out,
			   "X-RateLimit-Limit: %" PRId64 "\r\nX-RateLimit-Remaining: %" PRId64
			   "\r\nX-RateLimit-Reset: %" PRId64 "\r\n",
			   reply->limit, reply->remaining, reply->reset);
	buf_puts(out, "\r\n");
}

void reply_flush(struct reply *reply)
{
	if (reply->out.len && !reply->closed) {
		if (buf_check(&reply->out) || gateway_write(reply->gateway, buf_view(&reply->out)))
			reply->closed = true;
		reply->wait->beat_at = clock_ms() + reply->config->heartbeat_ms;
	}
	buf_reset(&reply->out);
}

void reply_send(struct reply *reply, int status, const char *type, struct str body)
{
	reply_head(reply, status, type, false);
	if (!str_equal(reply->request->method, STR("HEAD")))
		buf_str(&reply->out, body);
	reply_flush(reply);
}

void reply_preflight(struct reply *reply, const char *methods)
{
	struct buf *out = &reply->out;

	reply_head(reply, 204, NULL, false);
	if (reply->request->origin_listed) {
		buf_truncate(out, out->len - 2); /* the head's empty line */
		buf_printf(out, "Access-Control-Allow-Methods: %s\r\n", methods);
		buf_puts(
			out,
			"Access-Control-Allow-Headers: x-api-key, x-widget-api-key, Authorization, "
			"Content-Type, Idempotency-Key, X-Request-Id\r\n"
			"Access-Control-Max-Age: 600\r\n\r\n");
	}
	reply_flush(reply);
}
