/*
 * What the operator does, as functions: a database in, rows or a refusal in words out. Nothing here
 * prints, asks, or knows who is served; banterctl is a speaker over it. A file a topic.
 *
 * Every function that takes `ops` ends in one of
 *   STATUS_OK
 *   STATUS_INVALID  what was given is wrong, and `refusal` says what; nothing was changed
 *   STATUS_REFUSED  it cannot be done, and `refusal` says why: there is no such chatbot, say
 *   STATUS_NOMEM
 *   else as db_call() (logged)
 * Rows are the caller's to free with db_rows_free(); *out stays untouched on failure. Their columns
 * are named, and are what a person may see. Texts are NUL-ended and UTF-8; NULL: not said. "Settings"
 * are the text of a JSON object of strings, such as {"price":"2"}.
 */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include <stdint.h>

#include "base/status.h"
#include "edge/db.h"

#define OPS_REFUSAL_SIZE 4096

struct ops {
	struct db *db;	     /* borrowed */
	struct wait *wait;   /* as for db_call(): NULL where nothing else is waited for */
	int64_t patience_ms; /* the most that one call to the database may take */
	char refusal[OPS_REFUSAL_SIZE]; /* of the last function that ended in one */
};

/* Keeps what it is given; there is nothing to clear. */
void ops_init(struct ops *ops, struct db *db, struct wait *wait, int64_t patience_ms);

/*
 * What shows rows of one thing, or of all where `of` is NULL and that is allowed: ops_chatbot_show(),
 * ops_key_list() and their like.
 */
typedef enum status (*ops_rows_fn)(struct ops *ops, const char *of, struct db_rows **out);

#endif
