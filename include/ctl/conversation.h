/* The commands of conversations that stand in files of their own. */
#ifndef CTL_CONVERSATION_H
#define CTL_CONVERSATION_H

#include "cli/command.h"

int conversation_show(const struct cli_call *call);
int conversation_export(const struct cli_call *call);
int conversation_import(const struct cli_call *call);
int conversation_search(const struct cli_call *call);

/*
 * Which conversations to erase: what is NULL does not count. Kept longer than their chatbot's
 * retention; or of these ids (a line each), of a chatbot, of a session, with NAME=VALUE in their
 * metadata, older than an age.
 */
struct erasure {
	bool retention;
	const char *conversations, *chatbot, *session, *metadata, *age;
};

struct erased {
	int64_t conversations, exchanges, running;
};

/* How many there are. CLI_DONE or CLI_FAILED (said). */
int erase_count(struct db *db, const struct erasure *erasure, struct erased *out);
/*
 * Erases them, some at a time, each time for good; shows progress towards `total`. Stops at an
 * interrupt. *out: what was erased so far, whatever is returned. CLI_DONE or CLI_FAILED (said).
 */
int erase_run(struct db *db, const struct erasure *erasure, int64_t total, struct erased *out);
/* Counts, asks, erases, and says so: a whole command. */
int erase_asking(const struct cli_call *call, const struct erasure *erasure);

#endif
