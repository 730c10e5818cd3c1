/* What each error is called: one table for both APIs (H1, B3). */
#include "http/reply.h"

static const struct reply_error_row rows[ERROR_COUNT] = {
	[ERROR_NOT_FOUND] = { 404, "Not found", "No such path", "NOT_FOUND" },
	[ERROR_METHOD] = { 405, "Method not allowed", "Method not allowed", "METHOD_NOT_ALLOWED" },
	[ERROR_TOO_MANY] = { 429, "Too many requests",
			     "Rate limit exceeded. Please wait before sending another message.",
			     "RATE_LIMIT_EXCEEDED" },
	[ERROR_UNAUTHORIZED] = { 401, "Unauthorized", "Invalid or inactive API key",
				 "INVALID_API_KEY" },
	[ERROR_NO_KEY] = { 401, "Unauthorized", "Missing Authorization header",
			   "MISSING_AUTH_HEADER" },
	[ERROR_MALFORMED_KEY] = { 401, "Unauthorized",
				  "Malformed Authorization header: expected Bearer and an API key",
				  "MALFORMED_AUTH_HEADER" },
	[ERROR_INVALID] = { 400, "Invalid request payload", "Invalid request payload",
			    "INVALID_REQUEST" },
	[ERROR_KEY_REUSED] = { 409, "Idempotency key reused",
			       "Idempotency key reused with another request",
			       "IDEMPOTENCY_KEY_REUSED" },
	[ERROR_IN_PROGRESS] = { 409, "Request in progress",
				"A request with this idempotency key is in progress",
				"REQUEST_IN_PROGRESS" },
	[ERROR_CHATBOT_NOT_FOUND] = { 404, "Not found", "Chatbot not found or access denied",
				      "CHATBOT_NOT_FOUND" },
	[ERROR_CONVERSATION_NOT_FOUND] = { 404, "Not found",
					   "Conversation not found or access denied",
					   "CONVERSATION_NOT_FOUND" },
	[ERROR_NO_CREDIT] = { 402, "Insufficient credits",
			      "Insufficient credits to generate AI response. Please upgrade your "
			      "plan.",
			      "INSUFFICIENT_CREDITS" },
	[ERROR_INTERNAL] = { 500, "Internal server error", "Internal server error",
			     "INTERNAL_ERROR" },
	[ERROR_UNAVAILABLE] = { 503, "Service unavailable", "Service unavailable",
				"SERVICE_UNAVAILABLE" },
};

const struct reply_error_row *reply_error_row(enum reply_error error)
{
	return &rows[error];
}

void reply_error(struct reply *reply, enum reply_error error)
{
	const struct reply_error_row *row = reply_error_row(error);
	struct frame frame;
	struct buf body;

	buf_init(&body, 4096);
	frame_begin(&frame, &body, FRAME_JSON);
	if (reply->api == REPLY_CHATBOT) {
		frame_boolean(&frame, "success", false);
		frame_string(&frame, "error", str_from(row->chatbot));
		frame_string(&frame, "code", str_from(row->code));
		if (error == ERROR_TOO_MANY)
			frame_integer(&frame, "retryAfter", reply->retry_s);
	} else {
		frame_string(&frame, "error", str_from(row->headless));
	}
	frame_end(&frame);
	reply_send(reply, row->status, "application/json", buf_view(&body));
	buf_clear(&body);
}
