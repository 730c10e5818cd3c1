/*
 * Which form is wanted, and its type. What stands in it is the pool's to say.  Neither database nor
 * model is asked.
 */
#include "http/shown.h"

#include "http/serve.h"

#define SHOWN_CAP (32 << 20)

/* The quality of one media range, in thousandths; 1000 if it says none (RFC 9110, 12.4.2). */
static int quality_of(struct str parameters)
{
	struct str one;
	int64_t digits;
	int value;

	while (str_next(&parameters, ';', &one)) {
		one = str_trim(one, STR_SPACE);
		if (!str_starts(one, STR("q=")))
			continue;
		one = str_skip(one, 2);
		if (!one.n || (*one.p != '0' && *one.p != '1'))
			return 1000;
		value = (*one.p - '0') * 1000;
		one = str_skip(one, one.n > 1 ? 2 : 1);
		if (one.n == 1 && str_number(one, 10, &digits))
			value += (int)digits * 100;
		else if (one.n == 2 && str_number(one, 10, &digits))
			value += (int)digits * 10;
		else if (one.n == 3 && str_number(one, 10, &digits))
			value += (int)digits;
		return value;
	}
	return 1000;
}

/* How much a client wants a type; 0: it does not name it. */
static int wanted(struct str accept, struct str type)
{
	struct str one, name;
	int most = 0, quality;

	while (str_next(&accept, ',', &one)) {
		name = str_trim(str_cut(&one, STR(";")), STR_SPACE);
		quality = str_same(name, type) ? quality_of(one) : 0;
		most = quality > most ? quality : most;
	}
	return most;
}

static enum http_shown wanted_of(const struct request *request, const struct route_match *match)
{
	struct str accept = request_header(request, "HTTP_ACCEPT");

	if (str_equal(str_from(match->route->path), STR("/status")))
		return HTTP_STATUS;
	return wanted(accept, STR("application/openmetrics-text")) >
			       wanted(accept, STR("text/plain"))
		       ? HTTP_OPENMETRICS
		       : HTTP_METRICS;
}

void shown_serve(struct http_context *context, struct request *request, struct reply *reply,
		 const struct route_match *match)
{
	static const char *const types[] = {
		[HTTP_METRICS] = "text/plain; version=0.0.4; charset=utf-8",
		[HTTP_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
		[HTTP_STATUS] = "application/json",
	};
	enum http_shown what = wanted_of(request, match);
	struct buf body;

	buf_init(&body, SHOWN_CAP);
	context->show(context->shown, what, &body);
	if (buf_check(&body)) {
		context->log.cause = "no memory";
		reply_error(reply, ERROR_INTERNAL);
	} else {
		reply_send(reply, &(struct reply_head){ .status = 200, .type = types[what] },
			   buf_view(&body));
	}
	buf_clear(&body);
}
