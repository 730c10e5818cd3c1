/* What the commands of workspaces, chatbots, keys and credits share. */
#ifndef CTL_TENANT_H
#define CTL_TENANT_H

#include "cli/command.h"
#include "ops/ops.h"

/*
 * Prints what was changed, from the row that shows it; if `brief`, people see its first column alone.
 * CLI_DONE or CLI_FAILED (said).
 */
int tenant_print(const struct cli_call *call, const struct db_rows *rows, bool brief);

/* The whole of "set": the first argument, and settings behind it. */
int tenant_set(const struct cli_call *call, ops_set_fn set);
/* The whole of "revoke": `question` gives for the argument its exact name and what to ask. */
int tenant_revoke(const struct cli_call *call, ops_rows_fn question, ops_rows_fn revoke);

#endif
