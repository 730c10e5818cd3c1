/* A look at the schema from outside: it works where nothing of it is there. */
#include "ops/schema.h"

#include <stdio.h>

#include "ops/call.h"

enum status ops_schema_look(struct ops *ops, enum ops_schema *out, char role[OPS_ROLE_SIZE])
{
	struct db_rows *rows = NULL;
	struct db_query query;
	enum status status;

	db_query_init(&query, "schema",
		      "select current_user, s.owner is not null,"
		      " coalesce(pg_has_role(s.owner, 'usage'), false)"
		      " from (select (select n.nspowner from pg_namespace n"
		      " where n.nspname = 'banter') as owner) s");
	status = ops_call(ops, &query, &rows);
	if (status == STATUS_OK) {
		snprintf(role, OPS_ROLE_SIZE, "%.*s", STR_ARGS(db_rows_text(rows, 0, 0)));
		*out = !db_rows_boolean(rows, 0, 1)   ? OPS_SCHEMA_MISSING
		       : !db_rows_boolean(rows, 0, 2) ? OPS_SCHEMA_OTHERS
						      : OPS_SCHEMA_OWNED;
	}
	db_rows_free(rows);
	return status;
}
