/* What an operation gave, printed as the call's form wants it. */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "cli/command.h"
#include "edge/db.h"

/* How many columns of rows are shown, and what a table takes one as. */
int cli_columns(const struct cli_call *call, const struct db_rows *rows, bool record);
enum table_type cli_type(const struct db_rows *rows, int column);

/* What became of printing: CLI_DONE or CLI_FAILED (said); errno as table_print() leaves it. */
int cli_printed(enum status status);
/* A text to standard output, as it is. CLI_DONE or CLI_FAILED (said). */
int cli_print_text(struct str text);
/* A table to standard output; frees it. CLI_DONE or CLI_FAILED (said). */
int cli_print_table(const struct cli_call *call, struct table *table, bool record);
/*
 * Rows to standard output; as a record: the one row. `first`: what their first column is called, NULL:
 * as it is. CLI_DONE or CLI_FAILED (said).
 */
int cli_print_rows(const struct cli_call *call, const struct db_rows *rows, const char *first,
		   bool record);

/* What asks for a call's rows. */
typedef enum status (*cli_rows_fn)(const struct cli_call *call, struct ops *ops,
				   struct db_rows **out);
/* The whole of a command that shows what one operation gives. Else as cli_print_rows(). */
int cli_run_rows(const struct cli_call *call, cli_rows_fn ask, bool record);
/* The same for the command's own `rows`: as a table, or the one row as a record. */
int cli_run_table(const struct cli_call *call);
int cli_run_record(const struct cli_call *call);

#endif
