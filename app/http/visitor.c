/* Site keys, tokens and signed identities, as they stand in a request's head. Judges none of them. */
#include "http/visitor.h"

#include <string.h>

#include "base/counter.h"
#include "base/log.h"
#include "chat/limit.h"
#include "http/serve.h"

#define USER_MAX 128

/* Two digits a byte, of either case, and no byte less or more. */
static bool read_hex(struct str text, unsigned char *out, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;
	size_t i;

	if (text.n != 2 * n)
		return false;
	for (i = 0; i < text.n; i++) {
		at = memchr(digits, str_lower(text.p[i]), 16);
		if (!at)
			return false;
		out[i / 2] = (unsigned char)(out[i / 2] << 4 | (at - digits));
	}
	return true;
}

bool visitor_may_ask(const struct request *request, const struct route_match *match)
{
	struct str text;

	if (!match->route || !(match->route->flags & ROUTE_VISITORS))
		return false;
	return request->preflight ||
	       (!match->route->dialect->read_key(request, &text) && key_begins(KEY_SITE, text));
}

/*
 * No browser sends another; what is none is like no page's. They leave it out of a GET or HEAD to their
 * own site, and of nothing else.
 */
static struct str read_origin(const struct request *request)
{
	struct str origin = request->origin;
	size_t i;

	if (!origin.p && !str_equal(request->method, STR("GET")) &&
	    !str_equal(request->method, STR("HEAD")))
		return STR("");
	for (i = 0; i < origin.n; i++)
		if (origin.p[i] <= ' ' || origin.p[i] > '~')
			return STR("");
	return origin;
}

/* EXPIRES:SIGNATURE:USER. False: it has another form. */
static bool read_identity(struct str text, struct store_visitor *out)
{
	struct str expires = str_cut(&text, STR(":")), signature = str_cut(&text, STR(":"));

	out->user = text;
	return str_number(expires, 10, &out->expires) &&
	       read_hex(signature, out->signature, sizeof(out->signature)) && text.n >= 1 &&
	       text.n <= USER_MAX && str_only(text, STR("._:@+-"));
}

void visitor_read(const struct request *request, struct store_visitor *out,
		  char token[KEY_TOKEN_SIZE])
{
	struct str identity = request_header(request, "HTTP_X_VISITOR_IDENTITY");
	struct str sent = request_header(request, "HTTP_X_VISITOR_TOKEN");

	*out = (struct store_visitor){
		.origin = read_origin(request),
		.minted = !sent.p && !identity.p,
		.tokenless = !sent.p && identity.p,
	};
	token[0] = '\0';
	secret_new_id(out->id);
	/* An empty user has no signature. */
	if (identity.p && !read_identity(identity, out))
		out->user = STR("");
	if (out->minted) {
		key_new_token(token);
		sent = str_from(token);
	}
	if (!out->tokenless && key_hash(sent, out->token))
		out->minted = false;
}

static void count(const struct http_context *context, enum counter counter, unsigned value)
{
	if (context->wait->counters)
		counter_add_at(context->wait->counters->slot, counter, value, 0, 1);
}

bool visitor_within(struct http_context *context, const struct request *request,
		    struct reply *reply, const struct store_visitor *visitor)
{
	const struct config *config = context->config;
	struct str address = str_from(request->address);
	enum counter_cap cap;

	if (!limit_count(context->limit, LIMIT_VISITS, address, config->visitor_address_limit,
			 config->visitor_window_ms, &reply->retry_s)) {
		cap = COUNTER_CAP_ADDRESS;
		context->log.cause = "too many exchanges of visitors from this address";
	} else if (visitor->minted &&
		   !limit_count(context->limit, LIMIT_VISITORS, address, config->visitor_new_limit,
				config->visitor_window_ms, &reply->retry_s)) {
		cap = COUNTER_CAP_NEW;
		context->log.cause = "too many new visitors from this address";
	} else {
		return true;
	}
	count(context, COUNTER_VISITORS_REFUSED, cap);
	reply_error(reply, ERROR_TOO_MANY);
	return false;
}

void visitor_warn(const struct http_context *context, const struct store_begun *begun)
{
	if (begun->outcome == STORE_VISITORS_LIMITED)
		count(context, COUNTER_VISITORS_REFUSED, COUNTER_CAP_DAY);
	if (begun->outcome != STORE_STARTED || !begun->percent)
		return;
	count(context, COUNTER_VISITOR_CAPS,
	      begun->percent == 100 ? COUNTER_PART_100 : COUNTER_PART_80);
	log_warn("the visitors of chatbot %.*s have used %d %% of what they may today",
		 STR_ARGS(begun->chatbot), begun->percent);
}
