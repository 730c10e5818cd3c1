/* The tables of errors: HTTP's status of each, and its plain words. */
#include "http/error.h"

int error_status(enum http_error error)
{
	static const int statuses[ERROR_COUNT] = {
		[ERROR_NONE] = 200,
		[ERROR_NOT_FOUND] = 404,
		[ERROR_METHOD] = 405,
		[ERROR_TOO_MANY] = 429,
		[ERROR_UNAUTHORIZED] = 401,
		[ERROR_NO_KEY] = 401,
		[ERROR_MALFORMED_KEY] = 401,
		[ERROR_FORBIDDEN] = 403,
		[ERROR_NO_VISITOR] = 401,
		[ERROR_INVALID] = 400,
		[ERROR_KEY_REUSED] = 409,
		[ERROR_IN_PROGRESS] = 409,
		[ERROR_CHATBOT_NOT_FOUND] = 404,
		[ERROR_CONVERSATION_NOT_FOUND] = 404,
		[ERROR_NO_CREDIT] = 402,
		[ERROR_INTERNAL] = 500,
		[ERROR_UNAVAILABLE] = 503,
	};

	return statuses[error];
}

const char *error_words(enum http_error error)
{
	static const char *const words[ERROR_COUNT] = {
		[ERROR_NOT_FOUND] = "Not found",
		[ERROR_METHOD] = "Method not allowed",
		[ERROR_TOO_MANY] = "Too many requests",
		[ERROR_UNAUTHORIZED] = "Unauthorized",
		[ERROR_NO_KEY] = "Unauthorized",
		[ERROR_MALFORMED_KEY] = "Unauthorized",
		[ERROR_FORBIDDEN] = "Forbidden",
		[ERROR_NO_VISITOR] = "Unknown visitor",
		[ERROR_INVALID] = "Invalid request payload",
		[ERROR_KEY_REUSED] = "Idempotency key reused",
		[ERROR_IN_PROGRESS] = "Request in progress",
		[ERROR_CHATBOT_NOT_FOUND] = "Not found",
		[ERROR_CONVERSATION_NOT_FOUND] = "Not found",
		[ERROR_NO_CREDIT] = "Insufficient credits",
		[ERROR_INTERNAL] = "Internal server error",
		[ERROR_UNAVAILABLE] = "Service unavailable",
	};

	return words[error];
}
