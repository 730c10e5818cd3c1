/*
 * Conversations: which there are, their texts, and bringing them back. What may be much comes some at a
 * time: the caller goes on as long as it wants to, with the rows it was given last.
 */
#ifndef OPS_CONVERSATION_H
#define OPS_CONVERSATION_H

#include <stdbool.h>

#include "ops/ops.h"

struct ops_conversation_choice {
	const char *chatbot, *session, *visitor, *user; /* only of these */
	const char *since; /* only those that went on within that age: "7d" */
	int64_t limit;
};
/* The latest first, without their texts. */
enum status ops_conversation_list(struct ops *ops, const struct ops_conversation_choice *choice,
				  struct db_rows **out) MUST_CHECK;

/* A text in questions and answers, whatever its case; no character in it is special. */
struct ops_conversation_search {
	struct str text;
	const char *chatbot; /* only with this one */
};
/* The columns of what was found: it stands in the first so many. */
#define OPS_SEARCH_COLUMNS 6
/* Exchanges that one call looks through. */
#define OPS_SEARCH_STEP 2000
/* Looks through the next ones, from where `last` ended (NULL: from the latest on). */
enum status ops_conversation_search_next(struct ops *ops,
					 const struct ops_conversation_search *search,
					 const struct db_rows *last,
					 struct db_rows **out) MUST_CHECK;
/* How many rows of it are finds; and whether more is to be looked through. */
int ops_conversation_found(const struct db_rows *rows);
bool ops_conversation_search_goes_on(const struct db_rows *rows);

/* What to export: one conversation, those of a chatbot or of a workspace, or all. */
struct ops_conversation_export {
	const char *format; /* "jsonl", "markdown" */
	const char *workspace, *chatbot, *conversation;
	bool running; /* what runs, too */
};
/*
 * The columns of a row, which is an exchange: the same conversation as the row before if workspace and
 * conversation are the same. The head begins a conversation, the body (absent: it has no exchange) is
 * the exchange.
 */
enum {
	OPS_EXPORT_WORKSPACE,
	OPS_EXPORT_CONVERSATION,
	OPS_EXPORT_POSITION,
	OPS_EXPORT_ATTEMPT,
	OPS_EXPORT_HEAD,
	OPS_EXPORT_BODY
};
/*
 * From here on all is as it is at this moment: a transaction that only reads. The connection serves
 * nothing else, and the transaction ends with it: with db_free().
 */
enum status ops_conversation_export_begin(struct ops *ops) MUST_CHECK;
/* The next exchanges behind the last row of `last` (NULL: the first). */
enum status ops_conversation_export_next(struct ops *ops,
					 const struct ops_conversation_export *which,
					 const struct db_rows *last,
					 struct db_rows **out) MUST_CHECK;
bool ops_conversation_export_goes_on(const struct db_rows *rows);

enum ops_import { OPS_IMPORTED, OPS_PRESENT };
/*
 * Stores one line of an export, whole or not at all: into `chatbot`, or NULL: into the one it was of. It
 * need not be text. OPS_PRESENT: it is there already, and stays as it is. STATUS_INVALID: it is no
 * such line, or does not fit what is there.
 */
enum status ops_conversation_import(struct ops *ops, struct str line, const char *chatbot,
				    enum ops_import *out) MUST_CHECK;

#endif
