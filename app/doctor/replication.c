/*
 * Replication: where PostgreSQL waits for a standby that is away, each answer is given and then
 * ends in an error, and no log of ours says why.
 */
#include "doctor/replication.h"

#include <inttypes.h>

#define LONG "3" /* seconds: a standby that is there takes milliseconds */

/*
 * Who may not read all statistics is told that there are senders, but not whom they serve; of its
 * own role's sessions, what they wait for. So the application is asked, whose sessions store.
 */
#define ASKED                                                                                      \
	"select current_setting('synchronous_standby_names'),"                                     \
	" count(*), count(*) filter (where r.sync_state in ('sync', 'quorum')),"                   \
	" count(*) filter (where r.sync_state is null),"                                           \
	" (select count(*) from pg_stat_activity a where a.wait_event = 'SyncRep'"                 \
	"  and a.query_start < clock_timestamp() - interval '" LONG " s')"                         \
	" from pg_stat_replication r"

enum { NAMES, SENDERS, WAITED_FOR, HIDDEN, WAITING };

static void see_missing(struct doctor *doctor, struct str names, int64_t waiting)
{
	report_find(
		doctor->report, REPORT_WRONG, "replication",
		"PostgreSQL waits for a standby that is away (synchronous_standby_names = %.*s): "
		"nothing can be stored, and every answer ends in an error; %" PRId64
		" sessions wait",
		STR_ARGS(names), waiting);
	report_step(doctor->report, "have the standby come back; what waits is stored then");
	report_step(doctor->report,
		    "or, where answers may be lost with this server: alter system set "
		    "synchronous_standby_names = ''; select pg_reload_conf() (with Patroni: "
		    "patronictl edit-config -s synchronous_mode_strict=false)");
}

static void see_standby(struct doctor *doctor, const struct db_rows *rows)
{
	struct str names = db_rows_text(rows, 0, NAMES);
	int64_t senders = db_rows_integer(rows, 0, SENDERS, 0),
		waiting = db_rows_integer(rows, 0, WAITING, 0);
	/* One whose machine stands still is called synchronous for another minute. */
	bool there = !waiting && (db_rows_integer(rows, 0, WAITED_FOR, 0) ||
				  db_rows_integer(rows, 0, HIDDEN, 0));

	if (names.n && !there)
		see_missing(doctor, names, waiting);
	else if (names.n)
		report_find(doctor->report, REPORT_OK, "replication",
			    "what is told as stored is on a standby too (%.*s)", STR_ARGS(names));
	else if (senders)
		report_find(
			doctor->report, REPORT_OK, "replication",
			"a standby follows, and is not waited for: a failover can lose the last "
			"answers that were confirmed (synchronous_standby_names is empty)");
}

void doctor_replication(struct doctor *doctor)
{
	struct db_rows *rows = doctor->db ? check_ask(doctor, doctor->db, ASKED) : NULL;

	if (rows)
		see_standby(doctor, rows);
	db_rows_free(rows);
}
