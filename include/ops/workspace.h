/* Workspaces: a customer each. One is named by its number, or by its name where no other has it. */
#ifndef OPS_WORKSPACE_H
#define OPS_WORKSPACE_H

#include "ops/ops.h"

/* A number for a new one. It has no sign: what begins with "-" looks like an option. */
int64_t ops_workspace_number(void);
/* Makes one, and shows it. */
enum status ops_workspace_create(struct ops *ops, const char *name, const char *settings,
				 struct db_rows **out) MUST_CHECK;
/* All of them. */
enum status ops_workspace_list(struct ops *ops, struct db_rows **out) MUST_CHECK;
/* One row: its settings and what it has. */
enum status ops_workspace_show(struct ops *ops, const char *workspace,
			       struct db_rows **out) MUST_CHECK;
/* All of the settings, or none; and shows it. */
enum status ops_workspace_set(struct ops *ops, const char *workspace, const char *settings,
			      struct db_rows **out) MUST_CHECK;
/* Before it is shut: one row, its number and a question in words. */
enum status ops_workspace_question(struct ops *ops, const char *workspace,
				   struct db_rows **out) MUST_CHECK;
/* Shuts it, and shows it. Nothing is deleted. */
enum status ops_workspace_revoke(struct ops *ops, const char *workspace,
				 struct db_rows **out) MUST_CHECK;

#endif
