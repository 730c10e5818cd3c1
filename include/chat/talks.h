/*
 * Conversations as they are read back: what a key, and whoever it speaks for, may see of them. The
 * SQL functions messages_read, talks_list, talk_delete, talk_feedback and talk_stop as C functions.
 */
#ifndef CHAT_TALKS_H
#define CHAT_TALKS_H

#include <stdint.h>

#include "chat/store.h"

/* Who reads; borrowed. */
struct talks_reader {
	struct key key;
	struct str chatbot; /* with a workspace key */
	struct str session; /* with a widget key, or in place of an id; absent: not said */
	struct store_visitor visitor; /* with a site key */
};

enum talks_outcome {
	TALKS_FOUND,
	TALKS_UNAUTHORIZED,
	TALKS_FORBIDDEN,  /* a site key, of another page */
	TALKS_NO_VISITOR, /* a token or an identity that is nobody's, or none of both */
	TALKS_BAD_REQUEST,
	TALKS_CHATBOT_NOT_FOUND,
	TALKS_LIMITED,
	TALKS_NOT_FOUND, /* no such conversation, or not theirs */
};
/* The database's word for it, such as "forbidden". */
const char *talks_outcome_name(enum talks_outcome outcome);

struct talks_read {
	struct db_rows *rows;
	enum talks_outcome outcome;
	struct str body; /* JSON, borrowed from `rows`; if it was found and tells anything */
	int64_t limit, remaining, reset; /* the chatbot's window; limit -1: it has none */
	int64_t retry_s;
	bool running;	      /* of talks_stop(): one that was to end has not yet */
	struct str exchanges; /* ... which they are, for talks_stopped() */
};

/*
 * A conversation's messages, the latest that fit a page, of those before that place (absent: of all).
 * `conversation` absent: the one that the reader's session names, of whichever kind the key is; none, where
 * nothing was said in it. As db_call().
 */
enum status talks_messages(struct db *db, struct wait *wait, const struct config *config,
			   const struct talks_reader *reader, struct str conversation,
			   struct str before, struct talks_read *out) MUST_CHECK;
/*
 * An answer that somebody wants to hear: `exchange` absent where nothing runs. `talk`: the
 * conversation's id, or (`named`) what its client calls it; `message` absent: the latest that runs.
 * `good` false: what was sent is none.
 */
struct talks_choice {
	struct str talk;
	bool named;
	struct str message;
	bool good;
};
/* How an answer stands; strings are borrowed from the rows of the call that told it. */
struct talks_status {
	struct str exchange, conversation, message_id;
	bool runs;
	bool whole;    /* it has ended, and `text` is all that there will be; neither: it failed */
	bool stopped;  /* it is whole, but ended early */
	bool attaches; /* of talks_answer(): who asks the same again may hear it */
	struct str text;
	struct str finish_reason;
	int64_t tokens_in, tokens_out; /* -1: unknown */
};
enum status talks_stream(struct db *db, struct wait *wait, const struct config *config,
			 const struct talks_reader *reader, const struct talks_choice *stream,
			 struct talks_status *answer, struct talks_read *out) MUST_CHECK;
/*
 * What has become of that answer; one that is gone has failed. `rows`: to be freed by the caller,
 * none after a failure. As db_call().
 */
enum status talks_answer(struct db *db, struct wait *wait, const struct config *config,
			 int64_t workspace, struct str conversation, struct str message,
			 struct talks_status *out, struct db_rows **rows) MUST_CHECK;
/* The conversations themselves, in the same way. */
enum status talks_list(struct db *db, struct wait *wait, const struct config *config,
		       const struct talks_reader *reader, struct str before,
		       struct talks_read *out) MUST_CHECK;
/* Erases a conversation, for good. TALKS_FORBIDDEN to a widget key too. As db_call(). */
enum status talks_delete(struct db *db, struct wait *wait, const struct config *config,
			 const struct talks_reader *reader, struct str conversation,
			 struct talks_read *out) MUST_CHECK;

/* What a reader thinks of an answer; borrowed. Without a thumb and a text it is taken back. */
struct talks_opinion {
	struct str message; /* the answer's id */
	struct str thumb;   /* "up", "down" or absent */
	struct str text;    /* absent: none */
	bool bad;	    /* anything in it is: the key is judged, then TALKS_BAD_REQUEST */
};
/* Keeps it. TALKS_NOT_FOUND also where the conversation has no such answer. As db_call(). */
enum status talks_feedback(struct db *db, struct wait *wait, const struct config *config,
			   const struct talks_reader *reader, struct str conversation,
			   const struct talks_opinion *feedback, struct talks_read *out) MUST_CHECK;
/*
 * Asks that what runs in a conversation end, or the answer `message` alone (absent: all that runs);
 * the body says what became of each by now. `good`: what was sent is; else it is TALKS_BAD_REQUEST, or
 * what comes before that. As db_call().
 */
enum status talks_stop(struct db *db, struct wait *wait, const struct config *config,
		       const struct talks_reader *reader, struct str conversation,
		       struct str message, bool good, struct talks_read *out) MUST_CHECK;
/* What became of them since; *read is replaced, or cleared. As db_call(). */
enum status talks_stopped(struct db *db, struct wait *wait, const struct config *config,
			  const struct talks_reader *reader, struct talks_read *read) MUST_CHECK;
/* A workspace's chatbots, as OpenAI's list of models. As db_call(). */
enum status talks_models(struct db *db, struct wait *wait, const struct config *config,
			 const struct key *key, struct talks_read *out) MUST_CHECK;
void talks_read_clear(struct talks_read *read);

#endif
