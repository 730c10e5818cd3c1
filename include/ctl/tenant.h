/* What the commands of workspaces, chatbots and keys share. */
#ifndef CTL_TENANT_H
#define CTL_TENANT_H

#include <stdbool.h>

#include "cli/command.h"
#include "ops/ops.h"

/* What changes something as a call says, and then shows it. `settings`: as ops.h has them. */
typedef enum status (*tenant_change_fn)(const struct cli_call *call, struct ops *ops,
					const char *settings, struct db_rows **out);
/*
 * The whole of a command whose arguments from `first` on are settings. What was changed is printed;
 * if it was `made`, people see its first column alone.
 */
int tenant_change(const struct cli_call *call, int first, tenant_change_fn change, bool made);
/* The whole of "revoke": `question` gives for the argument its exact name and what to ask. */
int tenant_revoke(const struct cli_call *call, ops_rows_fn question, ops_rows_fn revoke);

#endif
