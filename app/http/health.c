/* GET /health (G8): whether the database can be reached from here. */
#include "http/serve.h"

/* A monitor may ask again after this many seconds. */
#define RETRY_S 5

void health(struct http_context *context, struct request *request, struct reply *reply,
	    struct str variable)
{
	enum status status;

	(void)request;
	(void)variable;
	/* A monitor that hangs up says nothing about the database, and must not cost its connection. */
	wait_undisturbed(context->wait, true);
	status = store_health(context->db, context->wait, context->config);
	wait_undisturbed(context->wait, false);
	if (status == STATUS_OK) {
		reply_send(reply, 200, "application/json", STR("{\"status\":\"ok\"}"));
		return;
	}
	context->log.cause = "the database is away";
	reply->retry_s = RETRY_S;
	reply_send(reply, 503, "application/json", STR("{\"status\":\"unavailable\"}"));
}
