/* The table of errors: HTTP's status of each. Not for their words, which are each dialect's. */
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
