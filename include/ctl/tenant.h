/*
 * What the commands of workspaces, chatbots, keys and credits share: changes, and what is shown
 * after them.
 */
#ifndef CTL_TENANT_H
#define CTL_TENANT_H

#include "cli/command.h"

/*
 * The arguments from `first` on as settings of a `what` ("chatbot"), and a name for it (NULL: it keeps
 * its own): JSON, held against the database's rules. CLI_DONE, CLI_WRONG or CLI_FAILED (said). `out` is
 * the caller's to clear.
 */
int tenant_settings(const struct cli_call *call, struct db *db, const char *what, int first,
		    const char *name, struct buf *out);

/* Runs a query that says what is wrong (NULL: nothing). CLI_DONE, CLI_WRONG or CLI_FAILED (said). */
int tenant_judge(struct db *db, const struct db_query *query);

/*
 * Runs `change`, which says what it changed, then prints that as the query `show` ($1) has it; if
 * `brief`, people see its first column alone. CLI_DONE or CLI_FAILED (said).
 */
int tenant_change(const struct cli_call *call, struct db *db, const struct db_query *change,
		  const char *show, bool brief);

/* The whole of "set": the command's SQL takes the first argument ($1) and settings ($2). */
int tenant_set(const struct cli_call *call, const char *what, const char *show);
/*
 * The whole of "revoke": `ask` gives for the argument ($1) its exact name and the question; the
 * command's SQL takes that name ($1).
 */
int tenant_revoke(const struct cli_call *call, const char *ask, const char *show);

#endif
