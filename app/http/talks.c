/*
 * Reading back, from request to reply. The limits and keys are an exchange's; what may be seen the
 * database decides.
 */
#include "http/talks.h"

#include "base/clock.h"
#include "chat/talks.h"
#include "http/exchange.h"
#include "http/headless.h"
#include "http/visitor.h"
#include "wire/json.h"
#include "wire/utf8.h"

/* Of what is said of an answer (R4). */
#define FEEDBACK_CHARS 2000
/* No cursor of ours is longer. */
#define CURSOR_MAX 64
/* How long what is stopped is waited for (R5), and how often it is looked at meanwhile. */
#define STOP_MS 5000
#define STOP_LOOK_MS 200

/* Where a page begins; what cannot be one of ours is empty, which is none either. */
static struct str read_cursor(const struct request *request)
{
	struct str cursor = request_member(request, "before");

	return !cursor.p || (cursor.n <= CURSOR_MAX && str_only(cursor, STR("_-"))) ? cursor
										    : STR("");
}

static struct str read_id(const struct route_match *match, const char *name)
{
	return exchange_id(route_variable(match, name));
}

/* False: the reply was sent. */
static bool read_reader(struct http_context *context, struct request *request, struct reply *reply,
			const struct route_match *match, struct talks_reader *out)
{
	struct str session = request_header(request, "HTTP_X_SESSION_ID");
	char token[KEY_TOKEN_SIZE];

	*out = (struct talks_reader){
		.chatbot = read_id(match, "chatbot"),
		.session = headless_session_valid(session) ? session : STR_NONE,
	};
	if (!exchange_admit(context, request, reply, match, &out->key))
		return false;
	if (out->key.kind == KEY_SITE)
		visitor_read(request, &out->visitor, token);
	return true;
}

void talks_say(struct http_context *context, const struct request *request, struct reply *reply,
	       enum status status, const struct talks_read *read)
{
	static const enum http_error errors[] = {
		[TALKS_FOUND] = ERROR_NONE,
		[TALKS_UNAUTHORIZED] = ERROR_UNAUTHORIZED,
		[TALKS_FORBIDDEN] = ERROR_FORBIDDEN,
		[TALKS_NO_VISITOR] = ERROR_NO_VISITOR,
		[TALKS_BAD_REQUEST] = ERROR_INVALID,
		[TALKS_CHATBOT_NOT_FOUND] = ERROR_CHATBOT_NOT_FOUND,
		[TALKS_LIMITED] = ERROR_TOO_MANY,
		[TALKS_NOT_FOUND] = ERROR_CONVERSATION_NOT_FOUND,
	};

	if (status) {
		exchange_refuse_call(context, reply, status, "it could not be read");
		return;
	}
	reply->limit = read->limit;
	reply->remaining = read->remaining;
	reply->reset = read->reset;
	reply->retry_s = read->retry_s;
	if (read->outcome == TALKS_FOUND) {
		reply_data(reply, read->running ? 202 : 200, read->body);
		return;
	}
	context->log.cause = talks_outcome_name(read->outcome);
	if (read->outcome == TALKS_UNAUTHORIZED)
		exchange_refuse_key(context, request, reply);
	else
		reply_error(reply, errors[read->outcome]);
}

void talks_serve_list(struct http_context *context, struct request *request, struct reply *reply,
		      const struct route_match *match)
{
	struct talks_reader reader;
	struct talks_read read;
	enum status status;

	if (!read_reader(context, request, reply, match, &reader))
		return;
	status = talks_list(context->db, context->wait, context->config, &reader,
			    read_cursor(request), &read);
	talks_say(context, request, reply, status, &read);
	talks_read_clear(&read);
}

void talks_serve_messages(struct http_context *context, struct request *request,
			  struct reply *reply, const struct route_match *match)
{
	struct talks_reader reader;
	struct talks_read read;
	enum status status;

	if (!read_reader(context, request, reply, match, &reader))
		return;
	status = talks_messages(context->db, context->wait, context->config, &reader,
				read_id(match, "conversation"), read_cursor(request), &read);
	talks_say(context, request, reply, status, &read);
	talks_read_clear(&read);
}

void talks_serve_delete(struct http_context *context, struct request *request, struct reply *reply,
			const struct route_match *match)
{
	struct talks_reader reader;
	struct talks_read read;
	enum status status;

	if (!read_reader(context, request, reply, match, &reader))
		return;
	status = talks_delete(context->db, context->wait, context->config, &reader,
			      read_id(match, "conversation"), &read);
	talks_say(context, request, reply, status, &read);
	talks_read_clear(&read);
}

/* A member that is a string of so many characters, or absent. False: it is neither. */
static bool read_string(const struct json *json, const char *name, size_t most, struct str *out)
{
	struct json_node node = json_member(json_root(json), name);
	size_t chars;

	*out = STR_NONE;
	if (json_type_of(node) == JSON_ABSENT)
		return true;
	return json_get_string(node, out) && utf8_valid(*out, &chars) && chars >= 1 &&
	       chars <= most;
}

/* `*json`, NULL or to be freed, holds what is borrowed. */
static void read_feedback(const struct request *request, struct json **json,
			  struct talks_opinion *out)
{
	*json = NULL;
	out->bad = request->body_status || json_parse(buf_view(&request->body), json) ||
		   !read_string(*json, "thumb", 4, &out->thumb) ||
		   !read_string(*json, "text", FEEDBACK_CHARS, &out->text) ||
		   (out->thumb.p && !str_equal(out->thumb, STR("up")) &&
		    !str_equal(out->thumb, STR("down")));
}

void talks_serve_feedback(struct http_context *context, struct request *request,
			  struct reply *reply, const struct route_match *match)
{
	struct talks_opinion feedback = { .message = read_id(match, "message") };
	struct talks_reader reader;
	struct talks_read read;
	enum status status;
	struct json *json;

	if (!read_reader(context, request, reply, match, &reader))
		return;
	read_feedback(request, &json, &feedback);
	status = talks_feedback(context->db, context->wait, context->config, &reader,
				read_id(match, "conversation"), &feedback, &read);
	talks_say(context, request, reply, status, &read);
	talks_read_clear(&read);
	json_free(json);
}

/* Which answer is to end; absent: all that are coming. False: the body is none. `*json` as above. */
static bool read_stop(const struct request *request, struct json **json, struct str *message)
{
	*json = NULL;
	*message = STR_NONE;
	if (!request->body_status && !request->body.len)
		return true;
	if (request->body_status || json_parse(buf_view(&request->body), json) ||
	    !read_string(*json, "messageId", SIZE_MAX, message))
		return false;
	if (message->p)
		*message = exchange_id(*message);
	return true;
}

/* False: it is not to be looked at again. */
static bool wait_a_little(struct http_context *context, int64_t until)
{
	int64_t now = clock_ms(), next = clock_earlier(now + STOP_LOOK_MS, until);
	enum status status = STATUS_OK;

	if (now >= until)
		return false;
	while (status == STATUS_OK)
		status = wait_some(context->wait, next);
	return status == STATUS_TIMEOUT;
}

void talks_serve_stop(struct http_context *context, struct request *request, struct reply *reply,
		      const struct route_match *match)
{
	int64_t until = clock_ms() + STOP_MS;
	struct talks_reader reader;
	struct talks_read read;
	enum status status;
	struct json *json;
	struct str message;
	bool good;

	if (!read_reader(context, request, reply, match, &reader) ||
	    !exchange_hold_place(context, request, reply))
		return;
	good = read_stop(request, &json, &message);
	status = talks_stop(context->db, context->wait, context->config, &reader,
			    read_id(match, "conversation"), message, good, &read);
	while (status == STATUS_OK && read.running && wait_a_little(context, until))
		status = talks_stopped(context->db, context->wait, context->config, &reader, &read);
	if (wait_client_left(context->wait))
		context->log.cause = "the client left";
	else
		talks_say(context, request, reply, status, &read);
	talks_read_clear(&read);
	json_free(json);
}
