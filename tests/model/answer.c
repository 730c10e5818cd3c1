/*
 * Answers: /v1/chat/completions, /v1/models, and the ways a reply goes out.
 */
#include "exchange.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "chunk.h"
#include "voice.h"

enum { BLOCK_SIZE = 16 << 10 };

int exchange_client(const struct exchange *exchange)
{
	return MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
}

static void add_headers(struct MHD_Response *response, struct json_object *headers)
{
	if (headers == NULL)
		return;
	json_object_object_foreach(headers, name, value)
		MHD_add_response_header(response, name, json_object_get_string(value));
}

static enum MHD_Result send_response(struct exchange *exchange, unsigned code, const char *type,
				     struct MHD_Response *response, struct json_object *headers)
{
	enum MHD_Result result;

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	add_headers(response, headers);
	if (exchange->record != 0)
		records_answered(&exchange->server->records, exchange->record, code);
	result = MHD_queue_response(exchange->connection, code, response);
	MHD_destroy_response(response);
	return result;
}

enum MHD_Result exchange_reply(struct exchange *exchange, unsigned code, const char *type,
			       struct text *body, struct json_object *headers)
{
	size_t len = body->len;
	char *bytes = text_take(body);
	struct MHD_Response *response;

	if (bytes == NULL)
		return MHD_NO;
	response = MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		free(bytes);
		return MHD_NO;
	}
	return send_response(exchange, code, type, response, headers);
}

enum MHD_Result exchange_fault(struct exchange *exchange, const struct fault *fault)
{
	struct text body = { 0 };

	fault_print(fault, &body);
	return exchange_reply(exchange, fault->code, "application/json", &body, NULL);
}

enum MHD_Result exchange_close(struct exchange *exchange, enum status why)
{
	if (exchange->record != 0)
		records_ended(&exchange->server->records, exchange->record,
			      why == STATUS_LEFT ? ENDED_CLIENT_LEFT : ENDED_CUT);
	return MHD_NO;
}

enum MHD_Result answer_models(struct exchange *exchange)
{
	struct text body = { 0 };

	text_puts(&body, "{\"object\":\"list\",\"data\":[{\"id\":\"stand-in\",\"object\":\"model\","
			 "\"created\":1700000000,\"owned_by\":\"banter\"}]}\n");
	return exchange_reply(exchange, 200, "application/json", &body, NULL);
}

static ssize_t on_read(void *cls, uint64_t position, char *buffer, size_t size)
{
	struct exchange *exchange = cls;
	size_t read = 0;
	enum status status;

	(void)position;
	status = stream_read(&exchange->stream, buffer, size, &read);
	if (status == STATUS_OK)
		return (ssize_t)read;
	if (status == STATUS_END)
		return MHD_CONTENT_READER_END_OF_STREAM;
	(void)exchange_close(exchange, status);
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* An answer with an HTTP status of its own: the script's body, or an error object. */
static enum MHD_Result answer_status(struct exchange *exchange)
{
	const struct script *script = &exchange->script;
	const char *type = "application/json";
	struct text body = { 0 };

	if (script->body != NULL)
		text_add(&body, json_object_get_string(script->body),
			 (size_t)json_object_get_string_len(script->body));
	else
		chunk_error(&body, script);
	if (script->content_type != NULL)
		type = json_object_get_string(script->content_type);
	return exchange_reply(exchange, script->status != 0 ? (unsigned)script->status : 200, type,
			      &body, script->headers);
}

static enum MHD_Result answer_script(struct exchange *exchange)
{
	struct server *server = exchange->server;
	const struct script *script = &exchange->script;
	const struct stage_set set = {
		.gates = &server->gates,
		.records = &server->records,
		.record = exchange->record,
		.client = exchange_client(exchange),
		.stop = server->stop,
	};
	const char *type =
		exchange->ask.stream ? "text/event-stream; charset=utf-8" : "application/json";
	enum status status = stream_hold(&set, script);
	struct MHD_Response *response;

	if (status != STATUS_OK || script->drop)
		return exchange_close(exchange, status);
	if (script->body != NULL || script->status >= 300)
		return answer_status(exchange);
	status = stream_begin(&exchange->stream, &set, &exchange->ask, script);
	if (status != STATUS_OK)
		return MHD_NO;
	response = MHD_create_response_from_callback(exchange->ask.stream ? MHD_SIZE_UNKNOWN
									  : exchange->stream.length,
						     BLOCK_SIZE, on_read, exchange, NULL);
	if (response == NULL)
		return MHD_NO;
	if (script->content_type != NULL)
		type = json_object_get_string(script->content_type);
	return send_response(exchange, script->status != 0 ? (unsigned)script->status : 200, type,
			     response, script->headers);
}

enum MHD_Result answer_chat(struct exchange *exchange)
{
	struct ask *ask = &exchange->ask;
	struct fault fault = { 0 };
	enum status status = ask_check(ask, &fault);

	if (status == STATUS_OK)
		status = script_parse(&exchange->script, &ask->last_user, &fault);
	if (status == STATUS_END)
		status =
			voice_speak(&exchange->script, ask, exchange->server->options->voice_delay);
	if (status == STATUS_INVALID)
		return exchange_fault(exchange, &fault);
	return status == STATUS_OK ? answer_script(exchange) : MHD_NO;
}
