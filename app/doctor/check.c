/* What more than one check does. */
#include "doctor/check.h"

#include "base/clock.h"

#define ASK_MS 10000

struct db_rows *check_ask(struct doctor *doctor, struct db *db, const char *sql)
{
	struct db_rows *rows = NULL;
	struct db_query query;

	report_listen(doctor->report);
	db_query_init(&query, "doctor", sql);
	if (db_call(db, NULL, &query, clock_ms() + ASK_MS, &rows))
		return NULL;
	return rows;
}
