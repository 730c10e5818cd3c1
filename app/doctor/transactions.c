/*
 * Transactions: at which level ours run by themselves, and which hold old snapshots.  While one is
 * held, PostgreSQL keeps every version that a row has had since, and all that updates and reads the
 * row walks over them.  Nothing of ours holds one for longer than a call.
 */
#include "doctor/transactions.h"

#include <inttypes.h>

#define OLD "300" /* seconds: a call takes milliseconds, a backup of much is made at night */
#define FAR_BACK "100000" /* transactions, where no time is known */

/*
 * Who may not read all statistics is told neither kind nor time of other roles' sessions, but what
 * they hold.
 * Columns: who, since when in seconds (null: not known), transactions since, what helps.
 */
#define HOLDERS                                                                                    \
	"select format('the session of process %s (%s, %s)', a.pid,"                               \
	"  coalesce(nullif(a.application_name, ''), a.backend_type), coalesce(a.state, '-')),"     \
	" extract(epoch from clock_timestamp() - a.xact_start)::bigint,"                           \
	" age(coalesce(a.backend_xmin, a.backend_xid)),"                                           \
	" format('select pg_terminate_backend(%s), if nobody needs it; and"                        \
	" idle_in_transaction_session_timeout for its role', a.pid)"                               \
	" from pg_stat_activity a"                                                                 \
	" where a.datname = current_database() and a.pid <> pg_backend_pid()"                      \
	"  and a.backend_type is distinct from 'walsender'"                                        \
	"  and coalesce(a.backend_xmin, a.backend_xid) is not null"                                \
	"  and (a.xact_start < clock_timestamp() - interval '" OLD " s' or a.xact_start is null"   \
	"   and age(coalesce(a.backend_xmin, a.backend_xid)) > " FAR_BACK ")"                      \
	" union all"                                                                               \
	" select format('the prepared transaction %s of %s', quote_literal(p.gid), p.owner),"      \
	" extract(epoch from clock_timestamp() - p.prepared)::bigint, age(p.transaction),"         \
	" format('commit prepared %1$L, or rollback prepared %1$L', p.gid)"                        \
	" from pg_prepared_xacts p"                                                                \
	" where p.database = current_database()"                                                   \
	"  and p.prepared < clock_timestamp() - interval '" OLD " s'"                              \
	" union all"                                                                               \
	" select format('the replication slot %s', s.slot_name), null, age(s.xmin),"               \
	" format('have its standby come back, or select pg_drop_replication_slot(%L)', "           \
	"s.slot_name)"                                                                             \
	" from pg_replication_slots s where age(s.xmin) > " FAR_BACK " union all"                  \
	" select format('the standby %s', coalesce(nullif(r.application_name, ''), r.pid::text))," \
	" null, age(r.backend_xmin), 'end what runs for long on the standby, or"                   \
	" hot_standby_feedback = off there'"                                                       \
	" from pg_stat_replication r where age(r.backend_xmin) > " FAR_BACK                        \
	" order by 2 desc nulls last, 3 desc limit 5"

/* Of which no time is told. Columns: how many, to whom. */
#define HIDDEN                                                                                     \
	"select count(*), quote_ident(current_user) from pg_stat_activity a"                       \
	" where a.datname = current_database() and a.usesysid is not null"                         \
	"  and a.xact_start is null and coalesce(a.backend_xmin, a.backend_xid) is not null"

static int64_t dead_rows(struct doctor *doctor, struct db *db)
{
	struct db_rows *rows = check_ask(doctor, db,
					 "select coalesce(sum(t.n_dead_tup), 0)::bigint"
					 " from pg_stat_all_tables t"
					 " where t.schemaname = 'banter_data'");
	int64_t dead = db_rows_integer(rows, 0, 0, 0);

	db_rows_free(rows);
	return dead;
}

static void see_holder(struct doctor *doctor, const struct db_rows *rows, int row, int64_t dead)
{
	struct str who = db_rows_text(rows, row, 0), step = db_rows_text(rows, row, 3);
	int64_t seconds = db_rows_integer(rows, row, 1, -1);
	int64_t transactions = db_rows_integer(rows, row, 2, 0);

	if (seconds >= 0)
		report_find(
			doctor->report, REPORT_WARNING, "old transaction",
			"%.*s has held on to what was for %" PRId64
			" s: each exchange walks over what it keeps; Banter's tables have %" PRId64
			" dead rows",
			STR_ARGS(who), seconds, dead);
	else
		report_find(doctor->report, REPORT_WARNING, "old transaction",
			    "%.*s holds on to what was %" PRId64
			    " transactions ago: each exchange walks over what it keeps; Banter's "
			    "tables have %" PRId64 " dead rows",
			    STR_ARGS(who), transactions, dead);
	report_step(doctor->report, "%.*s", STR_ARGS(step));
}

static void see_isolation(struct doctor *doctor)
{
	struct db_rows *rows = check_ask(doctor, doctor->db,
					 "select current_setting('default_transaction_isolation'),"
					 " quote_ident(current_user)");
	struct str level = db_rows_text(rows, 0, 0), role = db_rows_text(rows, 0, 1);

	if (rows && !str_equal(level, STR("read committed"))) {
		report_find(doctor->report, REPORT_WARNING, "roles",
			    "the default isolation level is %.*s: every call says another, which "
			    "costs time",
			    STR_ARGS(level));
		report_step(doctor->report,
			    "alter role %.*s set default_transaction_isolation = 'read committed'",
			    STR_ARGS(role));
	}
	db_rows_free(rows);
}

/* Nothing old was found: is that all there is? */
static void see_hidden(struct doctor *doctor, struct db *db)
{
	struct db_rows *rows = check_ask(doctor, db, HIDDEN);

	if (db_rows_integer(rows, 0, 0, 0)) {
		report_find(doctor->report, REPORT_UNTRIED, "old transaction",
			    "how old those of other roles are, %.*s is not told",
			    STR_ARGS(db_rows_text(rows, 0, 1)));
		if (doctor->owner)
			report_step(doctor->report, "grant pg_read_all_stats to %.*s",
				    STR_ARGS(db_rows_text(rows, 0, 1)));
	} else {
		report_find(doctor->report, REPORT_OK, "old transaction",
			    "none of this database is older than " OLD " s");
	}
	db_rows_free(rows);
}

static void see_holders(struct doctor *doctor)
{
	/* A role of the application sees only its own sessions' transactions. */
	struct db *db = doctor->owner ? doctor->owner : doctor->db;
	struct db_rows *rows;
	int64_t dead;
	int row;

	rows = check_ask(doctor, db, HOLDERS);
	if (!rows) {
		report_find(doctor->report, REPORT_UNTRIED, "old transaction", "%.*s",
			    STR_ARGS(report_heard(doctor->report)));
		return;
	}
	dead = db_rows_count(rows) ? dead_rows(doctor, db) : 0;
	for (row = 0; row < db_rows_count(rows); row++)
		see_holder(doctor, rows, row, dead);
	if (!db_rows_count(rows))
		see_hidden(doctor, db);
	db_rows_free(rows);
}

void doctor_transactions(struct doctor *doctor)
{
	if (!doctor->schema)
		return;
	see_isolation(doctor);
	see_holders(doctor);
}
