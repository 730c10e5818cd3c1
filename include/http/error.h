/*
 * Why a request gets no answer: the one table of HTTP's errors. What a client reads of one is its
 * dialect's.
 */
#ifndef HTTP_ERROR_H
#define HTTP_ERROR_H

enum http_error {
	ERROR_NONE,
	ERROR_NOT_FOUND,
	ERROR_METHOD,
	ERROR_TOO_MANY,
	ERROR_UNAUTHORIZED,
	ERROR_NO_KEY,
	ERROR_MALFORMED_KEY,
	ERROR_INVALID,
	ERROR_KEY_REUSED,
	ERROR_IN_PROGRESS,
	ERROR_CHATBOT_NOT_FOUND,
	ERROR_CONVERSATION_NOT_FOUND,
	ERROR_NO_CREDIT,
	ERROR_INTERNAL,
	ERROR_UNAVAILABLE,
	ERROR_COUNT
};

/* Its HTTP status. */
int error_status(enum http_error error);
/* Its cause in a few words, for people who work on it and for tests; no client reads it. */
const char *error_cause(enum http_error error);

#endif
