/* By SQLSTATE: what may pass, what a function of ours says, what quotes a person's words. */
#include "edge/db_failure.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/log.h"
#include "edge/db_internal.h"

/* raise_exception (PostgreSQL's appendix A): a function of ours says why not. */
#define RAISED "P0001"

/*
 * SQLSTATE classes after which the same call may succeed on another try: 08 connection, 40 rollback
 * by the server, 53 resources, 57 operator intervention, 55P03 lock, 25006 a read-only transaction,
 * as on a primary that became a standby (PostgreSQL's appendix A).
 */
static bool may_pass(const char *state)
{
	static const char *const classes[] = { "08", "40", "53", "57", "55P03", "25006" };
	size_t i;

	for (i = 0; i < COUNT(classes); i++)
		if (strncmp(state, classes[i], strlen(classes[i])) == 0)
			return true;
	return false;
}

void db_failure_note(struct db *db, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (!state)
		state = "08006"; /* libpq's own: the connection is gone */
	if (db->named && db_prepared_failed(&db->prepared, db->named, state)) {
		db->again = true;
		log_debug("%s: sent again without a name: SQLSTATE %s", db->name, state);
		return;
	}
	/* Classes 22 and 23 quote values, which may be a person's words. */
	if (!words || (db->query && (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0)))
		words = "see the server's log";
	if (strcmp(state, RAISED) == 0 && db->query && db->query->refusal) {
		db->failed = STATUS_REFUSED;
		snprintf(db->query->refusal, db->query->refusal_size, "%s", words);
		return;
	}
	if (strcmp(state, RAISED) == 0) {
		db->failed = STATUS_FAILED;
		log_error("%s", words);
		return;
	}
	if (!may_pass(state)) {
		db->failed = STATUS_FAILED;
		log_error("%s failed in the database: SQLSTATE %s: %s", db->name, state, words);
		return;
	}
	db->failed = STATUS_UNAVAILABLE;
	if (db->fresh || db->held)
		log_error("%s: the database is not available: SQLSTATE %s: %s", db->name, state,
			  words);
}

enum status db_failure_lost(const struct db *db)
{
	if (db->failed == STATUS_OK && (db->fresh || db->held))
		log_error("%s: the connection to the database was lost", db->name);
	return STATUS_UNAVAILABLE;
}
