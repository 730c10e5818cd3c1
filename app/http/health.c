/* GET /health (G8): whether chat would find the database well from here, and web servers us. */
#include "http/health.h"

#include "http/serve.h"

/* A monitor may ask again after this many seconds. */
#define RETRY_S 5

static void say(struct reply *reply, int status, struct str body)
{
	reply_send(reply, &(struct reply_head){ .status = status, .type = "application/json" },
		   body);
}

static void refuse(struct http_context *context, struct reply *reply, const char *cause)
{
	context->log.cause = cause;
	reply->retry_s = RETRY_S;
	say(reply, 503, STR("{\"status\":\"unavailable\"}"));
}

void health_serve(struct http_context *context, struct request *request, struct reply *reply,
		  const struct route_match *match)
{
	enum status status;

	(void)request;
	(void)match;
	if (context->door && !listen_file_stands(context->door)) {
		refuse(context, reply, "the pool's socket file is gone: SIGHUP makes it again");
		return;
	}
	/* A monitor that hangs up says nothing about the database, and must not cost its connection. */
	wait_undisturbed(context->wait, true);
	status = store_health(context->db, context->wait, context->config);
	wait_undisturbed(context->wait, false);
	if (status == STATUS_OK) {
		say(reply, 200, STR("{\"status\":\"ok\"}"));
		return;
	}
	refuse(context, reply,
	       status == STATUS_REFUSED ? "the database is read-only" : "the database is away");
}
