/*
 * What a client that keeps its conversation itself sends of it: an array of messages as OpenAI's
 * protocol has them. Who said what; not for what becomes of it.
 */
#ifndef CHAT_COMPLETION_H
#define CHAT_COMPLETION_H

#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "chat/prompt.h"
#include "wire/json.h"

/* Texts are borrowed from the document, but for those that stand there in pieces. */
struct completion_said {
	struct prompt_message *messages; /* before the last question; owned */
	size_t count;
	struct str message;	    /* the last question */
	struct str system;	    /* what it would have the model told first; absent: nothing */
	struct buf joined, systems; /* owned */
};

/*
 * Reads them into `out`, which is zeroed. Of a message's content the texts count; roles other than
 * user, assistant and system (developer) are skipped, and so is what stands behind the last question.
 *   STATUS_INVALID  no array of messages, or no question with a text    STATUS_NOMEM
 */
enum status completion_read(struct json_node messages, struct completion_said *out) MUST_CHECK;
/*
 * Reads one content alone: a string, or the texts among its parts with a line feed between; absent:
 * neither. Borrowed from it, or from `joined`, which is begun here. STATUS_NOMEM
 */
enum status completion_text(struct json_node content, struct buf *joined,
			    struct str *out) MUST_CHECK;
void completion_clear(struct completion_said *said);

#endif
