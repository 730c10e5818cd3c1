/* The pairs of a poll, as PostgreSQL reads two arrays. */
#include "chat/stops.h"

#include <inttypes.h>

#define CAP (1 << 20) /* of each array: some thousands of exchanges */

void stops_init(struct stops *stops)
{
	buf_init(&stops->workspaces, CAP);
	buf_init(&stops->exchanges, CAP);
}

void stops_clear(struct stops *stops)
{
	buf_clear(&stops->workspaces);
	buf_clear(&stops->exchanges);
}

void stops_reset(struct stops *stops)
{
	buf_reset(&stops->workspaces);
	buf_reset(&stops->exchanges);
}

void stops_add(struct stops *stops, int64_t workspace, const char *exchange)
{
	char before = stops->workspaces.len ? ',' : '{';

	buf_printf(&stops->workspaces, "%c%" PRId64, before, workspace);
	buf_printf(&stops->exchanges, "%c%s", before, exchange);
}

enum status stops_put(struct stops *stops, struct db_query *query)
{
	const char *none = stops->workspaces.len ? "" : "{";

	buf_printf(&stops->workspaces, "%s}", none);
	buf_printf(&stops->exchanges, "%s}", none);
	db_query_init(query, "stops",
		      "select workspace, exchange from banter.stops(p_workspaces => $1,"
		      " p_exchanges => $2)");
	db_query_keep(query);
	db_add_input(query, buf_text(&stops->workspaces));
	db_add_input(query, buf_text(&stops->exchanges));
	return buf_check(&stops->workspaces) ? STATUS_NOMEM : buf_check(&stops->exchanges);
}

void stops_row(const struct db_rows *rows, int row, int64_t *workspace, struct str *exchange)
{
	*workspace = db_rows_integer(rows, row, 0, 0);
	*exchange = db_rows_text(rows, row, 1);
}
