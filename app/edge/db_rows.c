/* Reading what a statement gave.  libpq's result stays in edge/db and here. */
#include "edge/db_rows.h"

#include <libpq-fe.h>
#include <stdlib.h>

#include "base/hot.h"

/* db_rows is libpq's result under a name that stays above. */
static const PGresult *from_rows(const struct db_rows *rows)
{
	return (const PGresult *)rows;
}

HOT void db_rows_free(struct db_rows *rows)
{
	PQclear((PGresult *)rows);
}

int db_rows_count(const struct db_rows *rows)
{
	return rows ? PQntuples(from_rows(rows)) : 0;
}

struct str db_rows_text(const struct db_rows *rows, int row, int column)
{
	const PGresult *result = from_rows(rows);

	if (row >= db_rows_count(rows) || PQgetisnull(result, row, column))
		return STR_NONE;
	return (struct str){ PQgetvalue(result, row, column),
			     (size_t)PQgetlength(result, row, column) };
}

int64_t db_rows_integer(const struct db_rows *rows, int row, int column, int64_t fallback)
{
	struct str text = db_rows_text(rows, row, column);

	return text.p ? strtoll(text.p, NULL, 10) : fallback;
}

bool db_rows_boolean(const struct db_rows *rows, int row, int column)
{
	return str_equal(db_rows_text(rows, row, column), STR("t"));
}

int db_rows_columns(const struct db_rows *rows)
{
	return rows ? PQnfields(from_rows(rows)) : 0;
}

const char *db_rows_name(const struct db_rows *rows, int column)
{
	return PQfname(from_rows(rows), column);
}

/* The numbers are those of PostgreSQL's catalog, pg_type.dat. */
enum db_type db_rows_type(const struct db_rows *rows, int column)
{
	switch (PQftype(from_rows(rows), column)) {
	case 16:
		return DB_BOOLEAN;
	case 20:   /* int8 */
	case 21:   /* int2 */
	case 23:   /* int4 */
	case 700:  /* float4 */
	case 701:  /* float8 */
	case 1700: /* numeric */
		return DB_NUMBER;
	case 114:  /* json */
	case 3802: /* jsonb */
		return DB_JSON;
	default:
		return DB_TEXT;
	}
}
