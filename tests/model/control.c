/*
 * The control endpoints, by which a test sees what was asked and opens gates.
 */
#include "exchange.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECOND INT64_C(1000000)

struct query {
	struct record_query records;
	int64_t timeout_ms;
	const char *wrong; /* NULL: all parameters make sense */
};

static enum MHD_Result complain(struct exchange *exchange, unsigned code, const char *what)
{
	struct text body = { 0 };

	text_puts(&body, "{\"error\":\"");
	text_json(&body, what, strlen(what));
	text_puts(&body, "\"}\n");
	return exchange_reply(exchange, code, "application/json", &body, NULL);
}

static enum MHD_Result agree(struct exchange *exchange)
{
	struct text body = { 0 };

	text_puts(&body, "{}\n");
	return exchange_reply(exchange, 200, "application/json", &body, NULL);
}

static bool read_number(const char *value, int64_t *number)
{
	char *end;

	*number = strtoll(value, &end, 10);
	return end != value && *end == '\0' && *number >= 0;
}

static bool read_parameter(struct query *query, const char *name, const char *value)
{
	int64_t number;

	if (strcmp(name, "started") == 0)
		return true; /* any record has */
	if (value == NULL)
		return false;
	if (strcmp(name, "contains") == 0) {
		query->records.contains = value;
		return true;
	}
	if (strcmp(name, "ended") == 0) {
		query->records.ended_any = strcmp(value, "any") == 0;
		return query->records.ended_any ||
		       ended_parse(value, &query->records.ended) == STATUS_OK;
	}
	if (strcmp(name, "timeout_ms") == 0)
		return read_number(value, &query->timeout_ms);
	if (strcmp(name, "tokens_sent") == 0 && read_number(value, &number)) {
		query->records.tokens = (uint64_t)number;
		return true;
	}
	return false;
}

static enum MHD_Result add_parameter(void *cls, enum MHD_ValueKind kind, const char *name,
				     const char *value)
{
	struct query *query = cls;

	(void)kind;
	if (!read_parameter(query, name, value))
		query->wrong = name;
	return MHD_YES;
}

static void read_query(struct exchange *exchange, struct query *query)
{
	*query = (struct query){ .timeout_ms = 10000 };
	MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, add_parameter,
				  query);
}

enum MHD_Result control_requests(struct exchange *exchange)
{
	struct query query;
	struct text body = { 0 };

	read_query(exchange, &query);
	if (query.wrong != NULL)
		return complain(exchange, 400,
				"a parameter is unknown, or its value is none it can have");
	records_list(&exchange->server->records, &query.records, &body);
	return exchange_reply(exchange, 200, "application/json", &body, NULL);
}

enum MHD_Result control_wait(struct exchange *exchange)
{
	struct query query;
	struct text body = { 0 };
	enum status status;

	read_query(exchange, &query);
	if (query.wrong != NULL)
		return complain(exchange, 400,
				"a parameter is unknown, or its value is none it can have");
	if (query.timeout_ms > 3600000)
		query.timeout_ms = 3600000;
	status = records_wait(&exchange->server->records, &query.records, exchange_client(exchange),
			      moment_now() + query.timeout_ms * MILLISECOND, &body);
	if (status == STATUS_OK)
		return exchange_reply(exchange, 200, "application/json", &body, NULL);
	text_clear(&body);
	if (status == STATUS_TIMEOUT)
		return complain(exchange, 408, "no such record in time");
	return exchange_close(exchange, status);
}

enum MHD_Result control_open(struct exchange *exchange)
{
	struct json_object *gate;
	enum status status;

	ask_read(&exchange->ask, exchange->body.data, exchange->body.len);
	if (!json_object_object_get_ex(exchange->ask.root, "gate", &gate) ||
	    !json_object_is_type(gate, json_type_string))
		return complain(exchange, 400, "a gate's name is missing: {\"gate\":\"name\"}");
	status = gates_open(&exchange->server->gates, json_object_get_string(gate));
	return status == STATUS_OK ? agree(exchange) : MHD_NO;
}

enum MHD_Result control_reset(struct exchange *exchange)
{
	records_reset(&exchange->server->records);
	return gates_reset(&exchange->server->gates) == STATUS_OK ? agree(exchange) : MHD_NO;
}
