/*
 * What the APIs of front ends have in common, which pages and back ends use (F1 to F4): their keys, how
 * chatbot and conversation are named, and of a history that is sent the question alone.
 */
#ifndef HTTP_FRONT_END_H
#define HTTP_FRONT_END_H

#include <stddef.h>

#include "http/dialect.h"
#include "http/exchange.h"
#include "http/headless.h"

#define FRONT_END_KEYS (KEY_SET(KEY_WIDGET) | KEY_SET(KEY_WORKSPACE))
/* Of requests: a workspace key's chatbot. */
#define FRONT_END_CHATBOT "X-Chatbot-Id"
/* No conversation's name is longer. */
#define FRONT_END_NAME HEADLESS_SESSION_MAX

/* A dialect's read_key: x-api-key, else what is borne. ERROR_NO_KEY, ERROR_MALFORMED_KEY. */
enum http_error front_end_read_key(const struct request *request, struct str *text);

/* What is the same in each one's row: F1, and bodies as long as a whole history (O5). */
#define FRONT_END_ROW                                                                              \
	.long_bodies = true, .keys = FRONT_END_KEYS, .read_key = front_end_read_key,               \
	.limits = DIALECT_ADDRESS_WINDOW | DIALECT_ADDRESS_OPEN,                                   \
	.request_headers = FRONT_END_CHATBOT

/* The chatbot that a workspace key is to be for, by its id or its name; absent: it is not said. */
struct str front_end_chatbot(const struct request *request);
/* What stands for {session}; it is in `room` then. Absent: it is no name. */
struct str front_end_name(const struct route_match *match, char room[FRONT_END_NAME + 1]);

/* For a dialect's `read`. */

/* True if the client says that it takes what is of that type. */
bool front_end_accepts(const struct request *request, const char *type);

/* Takes what the client calls its conversation, and whose it is. */
void front_end_read_names(struct exchange *exchange, struct str session);
/* True if the user said that one of `messages`. */
bool front_end_is_users(struct json_node message);
/*
 * Takes as the message the text of the last one whose role is `user` among the first `count` of
 * `messages`. No other is looked at.
 */
void front_end_read_question(struct exchange *exchange, struct json_node messages, size_t count);

#endif
