/*
 * The chatbot API: many chatbots of many workspaces, conversations named by us, JSON or SSE (B1 to
 * B5).
 */
#include "http/exchange.h"

/* The contract's B1 and G4. */
#define METADATA_MAX 16384
#define ID_MAX 40

/* What cannot be an id of ours names nothing; the empty id is nobody's. */
static struct str as_id(struct str text)
{
	return text.n <= ID_MAX && str_only(text, STR("_-")) ? text : STR("");
}

static void read_metadata(struct exchange *exchange)
{
	struct json_node node = exchange_member(exchange, "metadata");
	struct str text;

	if (json_type(node) == JSON_ABSENT)
		return;
	if (json_type(node) != JSON_OBJECT || json_member_text(exchange->json, "metadata", &text) ||
	    text.n > METADATA_MAX)
		exchange->bad = true;
	else
		exchange->turn.begin.metadata = text;
}

static void read_members(struct exchange *exchange)
{
	struct json_node conversation = exchange_member(exchange, "conversationId");
	struct json_node stream = exchange_member(exchange, "stream");
	struct str id;
	bool on;

	if (json_get_string(conversation, &id))
		exchange->turn.begin.conversation = as_id(id);
	else if (json_type(conversation) != JSON_ABSENT)
		exchange->bad = true;
	if (json_get_boolean(stream, &on))
		exchange->turn.begin.stream = on;
	else if (json_type(stream) != JSON_ABSENT)
		exchange->bad = true;
	read_metadata(exchange);
}

/* "Bearer KEY"; the scheme's case does not count (RFC 9110, 11.1). */
static bool read_bearer(struct str header, struct str *key)
{
	if (header.n < 8 || !str_same((struct str){ header.p, 7 }, STR("bearer ")))
		return false;
	*key = str_skip(header, 7);
	while (key->n && key->p[0] == ' ')
		*key = str_skip(*key, 1);
	return key->n > 0;
}

void chatbot_chat(struct http_context *context, struct request *request, struct reply *reply,
		  struct str variable)
{
	struct str header = request_header(request, "HTTP_AUTHORIZATION"), text;
	struct exchange exchange;
	struct key key;

	if (header.n == 0) {
		reply_error(reply, ERROR_NO_KEY);
		return;
	}
	if (!read_bearer(header, &text)) {
		reply_error(reply, ERROR_MALFORMED_KEY);
		return;
	}
	if (!exchange_take_key(context, request, reply, KEY_WORKSPACE, text, &key))
		return;
	exchange_init(&exchange, context, request, reply);
	exchange.turn.begin.key = key;
	exchange.turn.begin.chatbot = as_id(variable);
	read_members(&exchange);
	exchange_run(&exchange, FRAME_SSE);
	exchange_clear(&exchange);
}
