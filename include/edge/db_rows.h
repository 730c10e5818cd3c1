/* What a statement gave, cell by cell. */
#ifndef EDGE_DB_ROWS_H
#define EDGE_DB_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct db_rows;

void db_rows_free(struct db_rows *rows); /* NULL is fine */
int db_rows_count(const struct db_rows *rows);
/* Borrowed from `rows`; absent where NULL. */
struct str db_rows_text(const struct db_rows *rows, int row, int column);
/* `fallback` where NULL. */
int64_t db_rows_integer(const struct db_rows *rows, int row, int column, int64_t fallback);
bool db_rows_boolean(const struct db_rows *rows, int row, int column);
/* What the columns are, for a program that only shows them. */
enum db_type { DB_TEXT, DB_NUMBER, DB_BOOLEAN, DB_JSON };
int db_rows_columns(const struct db_rows *rows);
const char *db_rows_name(const struct db_rows *rows, int column); /* borrowed from `rows` */
enum db_type db_rows_type(const struct db_rows *rows, int column);

#endif
