/* What workspaces may spend. */
#ifndef OPS_CREDITS_H
#define OPS_CREDITS_H

#include "ops/ops.h"

/* Gives, or takes away where `count` is negative; then shows what there is. Exact while exchanges run. */
enum status ops_credits_add(struct ops *ops, const char *workspace, int64_t count,
			    struct db_rows **out) MUST_CHECK;
/* What there is, what running exchanges hold, what was spent: of one workspace, or of all. */
enum status ops_credits_show(struct ops *ops, const char *workspace,
			     struct db_rows **out) MUST_CHECK;
/* What deleted workspaces were granted and spent, by month, as far as that was kept. */
enum status ops_credits_totals(struct ops *ops, struct db_rows **out) MUST_CHECK;
/* The last changes, at most `limit`. */
enum status ops_credits_list(struct ops *ops, const char *workspace, int64_t limit,
			     struct db_rows **out) MUST_CHECK;

#endif
