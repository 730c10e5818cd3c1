/* One request, from route to reply. */
#ifndef HTTP_SERVE_H
#define HTTP_SERVE_H

#include <stdint.h>

#include "base/wait.h"
#include "chat/breaker.h"
#include "chat/limit.h"
#include "chat/model.h"
#include "chat/turn.h"
#include "edge/db.h"
#include "edge/gateway.h"
#include "edge/listen.h"
#include "http/reply.h"
#include "http/request.h"
#include "wire/config.h"

/* What is shown of the whole pool, by who knows it (pool/report.h). */
enum http_shown { HTTP_METRICS, HTTP_OPENMETRICS, HTTP_STATUS };
typedef void (*http_show_fn)(const void *shown, enum http_shown what, struct buf *out);

/* What a process is there for. 404, 405 and preflights are the same to all. */
enum http_duty {
	HTTP_ALL,
	HTTP_HEALTH, /* routes for the status listener alone; other paths are none of its */
	HTTP_REFUSE, /* no worker was free in time: 503 (G6); needs neither database nor model */
};

/* What a worker serves with; borrowed, except `log`, which the serving fills in. */
struct http_context {
	enum http_duty duty;
	const struct config *config;
	struct gateway *gateway;
	struct wait *wait;
	struct db *db;
	struct model *model;
	struct breaker *breaker; /* NULL: none */
	bool alone;		 /* as in struct turn_context */
	struct broadcast *broadcast;
	struct limit *limit;
	uint32_t holder; /* this worker's place in `limit` */
	/* Where web servers come in, for who answers /health elsewhere; NULL: here. */
	const struct listen_file *door;
	http_show_fn show; /* NULL: nothing is shown here */
	const void *shown; /* what it is called with */
	/* Of the last request, for its log line and the scoreboard. */
	struct {
		enum turn_end end;
		const char *cause;
		int64_t first_ms;
		int64_t tokens;
		int requests;			 /* to model servers */
		const char *server;		 /* of those, the last; NULL: none was asked */
		char tries[ATTEMPTS_TRIES_SIZE]; /* why others were not, or no more: "a 503" */
	} log;
};

/* Serves the request the gateway has accepted, and logs it. */
void http_serve(struct http_context *context);

#endif
