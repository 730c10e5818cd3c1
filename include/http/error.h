/*
 * Why a request gets no answer: the one table of HTTP's errors. What a client reads of one, its dialect
 * decides.
 */
#ifndef HTTP_ERROR_H
#define HTTP_ERROR_H

enum http_error {
	ERROR_NONE,
	ERROR_NOT_FOUND,	      /* no such path */
	ERROR_METHOD,		      /* another method */
	ERROR_TOO_MANY,		      /* over a limit */
	ERROR_UNAUTHORIZED,	      /* not a good key */
	ERROR_NO_KEY,		      /* no key */
	ERROR_MALFORMED_KEY,	      /* a key in another form */
	ERROR_FORBIDDEN,	      /* a site key, of another page */
	ERROR_NO_VISITOR,	      /* a token or an identity that is nobody's */
	ERROR_INVALID,		      /* a bad body */
	ERROR_KEY_REUSED,	      /* an idempotency key of another request */
	ERROR_IN_PROGRESS,	      /* an idempotency key that is at work */
	ERROR_CHATBOT_NOT_FOUND,      /* no such chatbot */
	ERROR_CONVERSATION_NOT_FOUND, /* no such conversation */
	ERROR_NO_CREDIT,	      /* no credits */
	ERROR_INTERNAL,		      /* a fault */
	ERROR_UNAVAILABLE,	      /* a part is away */
	ERROR_COUNT
};

/* Its HTTP status. */
int error_status(enum http_error error);
/* What a person may be told of it (H1); some dialects have words of their own. */
const char *error_words(enum http_error error);

#endif
