/* Listening, from request to reply. Who may hear what the database says; the rest is chat/attach. */
#include "http/attach.h"

#include <string.h>

#include "chat/attach.h"
#include "http/headless.h"
#include "http/stream.h"
#include "http/talks.h"
#include "http/visitor.h"

/* Digits of an event's number. */
#define NUMBER_DIGITS 12
/* Beyond the longest exchange: its end has to be stored. */
#define END_MS 15000
/* Seconds after which a listener may try again where as many listen as may. */
#define FULL_RETRY_S 1

/* Behind which byte it goes on: the header is what readers of SSE send. False: it is no number. */
static bool read_after(const struct request *request, int64_t *after)
{
	struct str text = request_header(request, "HTTP_LAST_EVENT_ID");

	if (!text.n)
		text = request_member(request, "after");
	*after = 0;
	return !text.p || (text.n && text.n <= NUMBER_DIGITS && str_number(text, 10, after));
}

/* What is asked for. False: the reply was sent. */
static bool read_wish(struct http_context *context, struct request *request, struct reply *reply,
		      const struct route_match *match, struct attach_wish *wish)
{
	struct str session = request_header(request, "HTTP_X_SESSION_ID");
	struct str message = request_member(request, "message");
	struct talks_reader *reader = &wish->reader;
	char token[KEY_TOKEN_SIZE];

	if (!exchange_take_key(context, request, reply, match, &reader->key))
		return false;
	reader->chatbot = exchange_id(route_variable(match, "chatbot"));
	reader->session = headless_session_valid(session) ? session : STR_NONE;
	if (reader->key.kind == KEY_SITE)
		visitor_read(request, &reader->visitor, token);
	wish->choice = (struct talks_choice){
		.talk = exchange_id(route_variable(match, "conversation")),
		.message = message.p ? exchange_id(message) : STR_NONE,
		.good = read_after(request, &wish->after),
	};
	return true;
}

static void count(const struct http_context *context, uint64_t listeners)
{
	if (context->wait->counters)
		counter_put(context->wait->counters->slot, COUNTER_LISTENERS, listeners);
}

static void play(struct http_context *context, struct reply *reply, struct attach *attach,
		 void *state)
{
	const struct config *config = context->config;
	enum status status = attach_open(attach);

	if (status) {
		context->log.cause = "as many listen to that answer as may";
		reply->retry_s = FULL_RETRY_S;
		reply_error(reply, ERROR_TOO_MANY);
		attach_close(attach);
		return;
	}
	reply->held = context->limit;
	reply->holder = context->holder;
	count(context, 1);
	stream_begin(reply, !attach->whole, state);
	status = attach_play(attach, &reply->sink,
			     attach->whole ? config->json_ms : config->exchange_ms + END_MS);
	if (status == STATUS_TIMEOUT) {
		reply->retry_s = FULL_RETRY_S;
		reply_error(reply, ERROR_IN_PROGRESS);
	}
	count(context, 0);
	context->log.cause = attach->cause;
	context->log.tokens = attach->tokens;
	attach_close(attach);
}

void attach_hear(struct http_context *context, struct request *request, struct reply *reply,
		 const struct attach_wish *wish)
{
	_Alignas(max_align_t) unsigned char state[DIALECT_STATE] = { 0 };
	struct turn_context turn = exchange_turn_context(context);
	struct talks_status answer;
	struct attach attach;
	struct talks_read read_back;
	enum status status;

	if (!exchange_hold_place(context, request, reply))
		return;
	status = talks_stream(context->db, context->wait, context->config, &wish->reader,
			      &wish->choice, &answer, &read_back);
	if (status || read_back.outcome != TALKS_FOUND) {
		talks_say(context, request, reply, status, &read_back);
	} else if (!answer.exchange.p) {
		reply_send(reply, &(struct reply_head){ .status = 204 }, STR(""));
	} else {
		attach = (struct attach){ .context = &turn,
					  .workspace = wish->reader.key.workspace,
					  .after = wish->after,
					  .numbered = true,
					  .answer = answer };
		play(context, reply, &attach, state);
	}
	talks_read_clear(&read_back);
}

void attach_serve(struct http_context *context, struct request *request, struct reply *reply,
		  const struct route_match *match)
{
	struct attach_wish wish = { .after = 0 };

	if (read_wish(context, request, reply, match, &wish))
		attach_hear(context, request, reply, &wish);
}

bool attach_repeat(struct exchange *exchange)
{
	struct http_context *context = exchange->context;
	const struct store_begun *begun = &exchange->turn.begun;
	struct db_rows *rows = NULL;
	struct talks_status answer;
	struct attach attach;
	bool attaches;

	if (begun->outcome != STORE_IN_PROGRESS || !begun->message_id.p ||
	    talks_answer(context->db, context->wait, context->config,
			 exchange->turn.begin.key.workspace, begun->conversation, begun->message_id,
			 &answer, &rows))
		return false;
	attaches = answer.attaches && (answer.runs || answer.whole);
	if (attaches) {
		attach = (struct attach){ .context = &exchange->turn_context,
					  .workspace = exchange->turn.begin.key.workspace,
					  .whole = !begun->stream,
					  .answer = answer };
		play(context, exchange->reply, &attach, exchange->state);
	}
	db_rows_free(rows);
	return attaches;
}
