/* The table of errors: status and cause. Not for their words, which are each dialect's. */
#include "http/error.h"

static const struct {
	int status;
	const char *cause;
} rows[ERROR_COUNT] = {
	[ERROR_NONE] = { 200, "none" },
	[ERROR_NOT_FOUND] = { 404, "no such path" },
	[ERROR_METHOD] = { 405, "another method" },
	[ERROR_TOO_MANY] = { 429, "over a limit" },
	[ERROR_UNAUTHORIZED] = { 401, "not a good key" },
	[ERROR_NO_KEY] = { 401, "no key" },
	[ERROR_MALFORMED_KEY] = { 401, "a key in another form" },
	[ERROR_INVALID] = { 400, "a bad body" },
	[ERROR_KEY_REUSED] = { 409, "an idempotency key of another request" },
	[ERROR_IN_PROGRESS] = { 409, "an idempotency key that is at work" },
	[ERROR_CHATBOT_NOT_FOUND] = { 404, "no such chatbot" },
	[ERROR_CONVERSATION_NOT_FOUND] = { 404, "no such conversation" },
	[ERROR_NO_CREDIT] = { 402, "no credits" },
	[ERROR_INTERNAL] = { 500, "a fault" },
	[ERROR_UNAVAILABLE] = { 503, "a part is away" },
};

int error_status(enum http_error error)
{
	return rows[error].status;
}

const char *error_cause(enum http_error error)
{
	return rows[error].cause;
}
