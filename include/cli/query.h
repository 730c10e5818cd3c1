/* Commands and the database: reaching it, and what the person is told when it says no. */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include "cli/command.h"
#include "edge/db.h"
#include "ops/ops.h"

/*
 * A connection for the operator: BANTER_ADMIN_DATABASE_URL, else the application's. CLI_DONE
 * or CLI_FAILED (said).
 */
int cli_connect(const struct cli_call *call, struct db **out);
/* The same to another database, by libpq's keywords or a URI; NULL: to that one. */
int cli_connect_to(const struct cli_call *call, const char *address, struct db **out);
/* Runs a query, however long it takes. CLI_DONE or CLI_FAILED (said). *out may be NULL. */
int cli_query(struct db *db, const struct db_query *query, struct db_rows **out);

/*
 * A connection for operations, which may take their time. CLI_DONE or CLI_FAILED (said); to be closed
 * either way.
 */
int cli_open(const struct cli_call *call, struct ops *out);
/* The same to another database, as cli_connect_to(). */
int cli_open_at(const struct cli_call *call, const char *address, struct ops *out);
void cli_close(struct ops *ops);
/* The exit code for what an operation ended in, and its refusal said. */
int cli_ended(const struct cli_call *call, const struct ops *ops, enum status status);

#endif
