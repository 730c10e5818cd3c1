/*
 * A migration in steps: what takes as long as a table is large, done beside the traffic. sql/README.md
 * says how one is written.
 */
#ifndef CTL_STEPS_H
#define CTL_STEPS_H

#include <stdbool.h>

#include "base/status.h"
#include "ctl/sql.h"
#include "edge/db.h"

/* In a transaction of a migrate: one at a time. The number is "banter" on a telephone. */
#define STEPS_NUMBER "226837"
/*
 * Whatever the owner's default level is: who waited for the lock sees what was done meanwhile, and a
 * transaction that is only held keeps no snapshot, which building an index would wait for.
 */
#define STEPS_BEGIN "begin isolation level read committed;"
#define STEPS_LOCK "select pg_advisory_xact_lock(" STEPS_NUMBER ");"
/* A day: what takes long and is cut off would begin anew; waiting for another's lock counts too. */
#define STEPS_MOST_MS 86400000

/* db_script(), for as long as a migrate may take. */
enum status steps_script(struct db *db, const char *name, const char *sql,
			 struct db_rows **out) MUST_CHECK;

/* Whether a file is one: its first line says so. */
bool steps_wanted(const struct sql_file *file);

/*
 * Keeps other migrates from running steps until steps_leave(), by a transaction that `guard` holds
 * open; it is a connection of its own, and holds nothing back in the database. Waits while another
 * runs them, and says so. As db_script().
 */
enum status steps_enter(struct db *guard) MUST_CHECK;
void steps_leave(struct db *guard);

/*
 * Runs all steps on `db`, from the first: those that ran before, when a run was cut off, bear that.
 * What a step waits for no longer than an instant it tries again for minutes. Says how far it is on
 * standard output. STATUS_UNAVAILABLE also where the guard was lost. As db_script().
 */
enum status steps_run(struct db *db, struct db *guard, const struct sql_file *file) MUST_CHECK;

#endif
