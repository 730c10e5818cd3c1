/*
 * Requests in: body, record, route. libmicrohttpd's callbacks are all here.
 */
#include "server.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/count.h"

enum {
	BODY_MAX = 16 << 20,
	STACK_SIZE = 256 << 10, /* a thread a connection, many of them */
	CONNECTIONS_MAX = 20000,
	BACKLOG = 4096,
	CONNECTION_MEMORY = 64 << 10, /* a piece up to nearly this size is one write */
};

static const struct route {
	const char *path, *method;
	enum MHD_Result (*handle)(struct exchange *exchange);
} routes[] = {
	{ "/v1/chat/completions", "POST", answer_chat }, { "/v1/models", "GET", answer_models },
	{ "/_model/requests", "GET", control_requests }, { "/_model/wait", "GET", control_wait },
	{ "/_model/open", "POST", control_open },	 { "/_model/reset", "POST", control_reset },
};

enum status server_init(struct server *server, const struct options *options)
{
	*server = (struct server){ .options = options };
	server->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->stop < 0)
		return STATUS_NO_MEMORY;
	if (gates_init(&server->gates, server->stop) != STATUS_OK)
		return STATUS_NO_MEMORY;
	return records_init(&server->records, server->stop);
}

void server_clear(struct server *server)
{
	records_clear(&server->records);
	gates_clear(&server->gates);
	if (server->stop >= 0)
		close(server->stop);
}

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	struct text *out = cls;

	(void)kind;
	text_puts(out, out->len > 1 ? ",\"" : "\"");
	for (const char *c = name; *c != '\0'; c++)
		text_json(out, (char[]){ (char)tolower((unsigned char)*c) }, 1);
	text_puts(out, "\":\"");
	text_json(out, value != NULL ? value : "", value != NULL ? strlen(value) : 0);
	text_puts(out, "\"");
	return MHD_YES;
}

static void record(struct exchange *exchange)
{
	struct text headers = { 0 }, body = { 0 };
	struct record record = { .said_len = exchange->ask.said.len };
	struct timespec now;

	text_puts(&headers, "{");
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, add_header, &headers);
	text_puts(&headers, "}");
	text_puts(&body,
		  exchange->ask.root == NULL
			  ? "null"
			  : json_object_to_json_string_ext(exchange->ask.root,
							   JSON_C_TO_STRING_PLAIN |
								   JSON_C_TO_STRING_NOSLASHESCAPE));
	clock_gettime(CLOCK_REALTIME, &now);
	record.at = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	record.method = strdup(exchange->method);
	record.path = strdup(exchange->path);
	record.headers = text_take(&headers);
	record.body = text_take(&body);
	record.said = malloc(record.said_len + 1);
	if (record.method == NULL || record.path == NULL || record.headers == NULL ||
	    record.body == NULL || record.said == NULL)
		abort(); /* a stand-in that forgets what it was asked would prove nothing */
	memcpy(record.said, record.said_len != 0 ? exchange->ask.said.data : "", record.said_len);
	exchange->record = records_add(&exchange->server->records, &record);
}

/* STATUS_INVALID with a fault. */
static enum status check_key(struct exchange *exchange, struct fault *fault)
{
	static const char scheme[] = "Bearer ";
	const char *key = exchange->server->options->key;
	const char *sent = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_AUTHORIZATION);

	if (key == NULL)
		return STATUS_OK;
	if (sent == NULL || strncasecmp(sent, scheme, strlen(scheme)) != 0) {
		fault_set(
			fault, 401, NULL, NULL,
			"You didn't provide an API key. Authorization: Bearer YOUR_KEY is needed.");
		return STATUS_INVALID;
	}
	if (strcmp(sent + strlen(scheme), key) != 0) {
		fault_set(fault, 401, "invalid_api_key", NULL, "Incorrect API key provided.");
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

/* NULL with a fault. */
static const struct route *find_route(const struct exchange *exchange, struct fault *fault)
{
	bool known = false;

	for (size_t i = 0; i < COUNT(routes); i++) {
		if (strcmp(routes[i].path, exchange->path) != 0)
			continue;
		if (strcmp(routes[i].method, exchange->method) == 0)
			return &routes[i];
		known = true;
	}
	if (known)
		fault_set(fault, 405, "method_not_supported", NULL,
			  "Not allowed to %.16s on %.100s.", exchange->method, exchange->path);
	else
		fault_set(fault, 404, NULL, NULL, "Invalid URL (%.16s %.100s)", exchange->method,
			  exchange->path);
	return NULL;
}

static enum MHD_Result handle(struct exchange *exchange)
{
	bool control = strncmp(exchange->path, "/_model/", 8) == 0;
	const struct route *route;
	struct fault fault;

	if (!text_ok(&exchange->body))
		return MHD_NO;
	if (!control) {
		ask_read(&exchange->ask, exchange->body.data, exchange->body.len);
		record(exchange);
	}
	if (exchange->too_large) {
		fault_set(&fault, 413, NULL, NULL, "The body is too large.");
		return exchange_fault(exchange, &fault);
	}
	route = find_route(exchange, &fault);
	if (route == NULL || (!control && check_key(exchange, &fault) != STATUS_OK))
		return exchange_fault(exchange, &fault);
	return route->handle(exchange);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **context)
{
	struct exchange *exchange = *context;

	(void)version;
	if (exchange == NULL) {
		exchange = calloc(1, sizeof(*exchange));
		if (exchange == NULL)
			return MHD_NO;
		exchange->server = cls;
		exchange->connection = connection;
		exchange->method = method;
		exchange->path = url;
		*context = exchange;
		return MHD_YES;
	}
	if (*upload_size == 0)
		return handle(exchange);
	exchange->too_large = exchange->too_large || exchange->body.len + *upload_size > BODY_MAX;
	if (!exchange->too_large)
		text_add(&exchange->body, upload, *upload_size);
	*upload_size = 0;
	return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode how)
{
	struct exchange *exchange = *context;
	enum ended ended = ENDED_CLIENT_LEFT;

	(void)cls;
	(void)connection;
	if (exchange == NULL)
		return;
	if (how == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
		ended = ENDED_COMPLETE;
		stream_settle(&exchange->stream);
	} else if (how == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN) {
		ended = ENDED_CUT;
	}
	if (exchange->record != 0)
		records_ended(&exchange->server->records, exchange->record, ended);
	stream_clear(&exchange->stream);
	script_clear(&exchange->script);
	ask_clear(&exchange->ask);
	text_clear(&exchange->body);
	free(exchange);
	*context = NULL;
}

struct MHD_Daemon *server_start(struct server *server, int listener)
{
	const struct options *options = server->options;
	unsigned flags =
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, options->tls_cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, options->tls_key },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (options->tls_cert != NULL)
		flags |= MHD_USE_TLS;
	else
		tls[0] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET,
				listener, MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG,
				MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_SIZE,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_ARRAY,
				tls, MHD_OPTION_END);
}

void server_stop(struct server *server, struct MHD_Daemon *daemon)
{
	(void)eventfd_write(server->stop, 1);
	MHD_stop_daemon(daemon);
}
