/*
 * A dialect: what the clients of one API send, and what they expect to read. One row of functions
 * and texts; whoever serves a request or writes a reply asks the row and does not know which it is.
 * Another API is a file that defines its row, its routes and its prefix (http/route.c).
 */
#ifndef HTTP_DIALECT_H
#define HTTP_DIALECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "chat/event.h"
#include "chat/key.h"
#include "http/error.h"
#include "wire/frame.h"

struct exchange;
struct request;
struct route_match;

/* A line of a reply's head. */
struct reply_header {
	const char *name;
	const char *value;
};

/*
 * Limits that some dialects are spared, and workspace keys everywhere: a back end calls for many from
 * its own address. Those of keys, chatbots and workspaces are all's.
 */
enum dialect_limit {
	DIALECT_ADDRESS_WINDOW = 1 << 0, /* requests of an address in a window (H4) */
	DIALECT_ADDRESS_OPEN = 1 << 1,	 /* open exchanges of an address (G10) */
};

/*
 * Bytes that a dialect may keep through an exchange, zeroed at its beginning, for what its events
 * need to know of the request or of each other. Its file asserts that its struct fits.
 */
#define DIALECT_STATE 384

/*
 * Appends what a client reads of an event, whole, in one call. Nothing, where that event is none of
 * its. `state`: DIALECT_STATE bytes, aligned for any type.
 */
typedef void (*dialect_put_fn)(struct buf *out, void *state, const struct event *event);

struct dialect {
	const char *name; /* one word, as the files of deploy/ may call it */

	/* The request. */
	bool long_bodies; /* its clients send all of a conversation: BANTER_BODY_BYTES; else 64 KiB (G3) */
	unsigned keys; /* of these kinds (KEY_SET); a site's where the route says so */
	/*
	 * What stands where the key is expected, borrowed from the request: ERROR_NONE, or the error
	 * that says there is none.
	 */
	enum http_error (*read_key)(const struct request *request, struct str *text);
	/*
	 * Fills in exchange->turn.begin from the body and the path. Anything wrong: exchange->bad.
	 */
	void (*read)(struct exchange *exchange, const struct route_match *match);
	unsigned limits; /* enum dialect_limit, or-ed: those that count */

	bool says_how; /* an answer ended: there is a place for that, in DONE */
	/* A stream: every event as it comes, ERROR included. */
	const char *stream_type;
	const struct reply_header *stream_headers; /* up to a name NULL; NULL: none */
	dialect_put_fn put_event;
	const char *beat; /* between two events while nothing comes (S6) */

	/* One answer, made of DONE. NULL: none of its routes has any. */
	const char *answer_type;
	dialect_put_fn put_answer;

	/* What is no exchange's, JSON (absent: nothing is to be told); NULL: as it is, and nothing is a 204. */
	void (*put_data)(struct buf *out, struct str json);

	/* An error instead of any. `retry_s` 0: not said. */
	const char *error_type;
	int (*status)(enum http_error error); /* of HTTP; NULL: error_status() */
	void (*put_error)(struct buf *out, enum http_error error, int64_t retry_s);

	/* What pages of other origins may send, and read, besides what they always may: "A, B"; NULL: nothing. */
	const char *request_headers;
	const char *exposed_headers;
};

/*
 * Begins an event as both of our own APIs write it: its type, the text of those that have one, and for
 * who came later its number.
 * The members that follow and frame_end() are the caller's.
 */
void dialect_begin_event(struct frame *frame, struct buf *out, enum frame_style style,
			 const struct event *event);

#endif
