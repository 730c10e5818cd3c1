/*
 * Migrations in steps. Each step, each batch too, is a transaction of its own, begun under migrate's
 * lock and waiting for no other for long: behind a table's lock all requests wait. What PostgreSQL
 * does outside transactions only (an index, concurrently) has a connection's word for itself.
 *
 * No session-level lock or setting: it must work through a pooler.
 */
#include "ctl/steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/str.h"

#define FIRST_LINE "-- banter: steps\n"
#define DIRECTIVE "-- banter: "
#define STEP_CAP (1 << 20)
/* Below PostgreSQL's deadlock_timeout: a request that waits for us is never the one that has to give up. */
#define BEGIN STEPS_BEGIN STEPS_LOCK "set local lock_timeout = '500ms';"

/* Of a step that did not get its locks: with the pauses between them, some 25 minutes. */
#define TRIES 60
#define PAUSE_MS 1000
#define PAUSE_MOST_MS 30000
/* Between batches: as long as one took, so that at least half of the time is the requests'. */
#define BREATH_MS 10
#define BREATH_MOST_MS 2000
#define SHOWN_MS 5000

enum kind { STEP_PLAIN, STEP_CONCURRENTLY, STEP_REPEAT };

static const char *const kinds[] = {
	[STEP_PLAIN] = "step",
	[STEP_CONCURRENTLY] = "concurrently",
	[STEP_REPEAT] = "repeat until 0 rows",
};

struct step {
	const struct sql_file *file;
	enum kind kind;
	int number, count;
	struct str text;
};

bool steps_wanted(const struct sql_file *file)
{
	return strncmp(file->text, FIRST_LINE, strlen(FIRST_LINE)) == 0;
}

static void pause_ms(int64_t ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

enum status steps_script(struct db *db, const char *name, const char *sql, struct db_rows **out)
{
	return db_script(db, name, sql, clock_ms() + STEPS_MOST_MS, out);
}

/* The kind that a line names; -1: none. */
static int kind_of(const char *line)
{
	size_t i, n;

	if (strncmp(line, DIRECTIVE, strlen(DIRECTIVE)) != 0)
		return -1;
	line += strlen(DIRECTIVE);
	n = strcspn(line, "\n");
	for (i = 0; i < COUNT(kinds); i++)
		if (str_equal(str_from(kinds[i]), (struct str){ line, n }))
			return (int)i;
	return -1;
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* Behind its own line, up to the next step's. */
static const char *end_of(const char *text)
{
	while (*text && kind_of(text) < 0)
		text = next_line(text);
	return text;
}

static int count_steps(const char *text)
{
	int count = 0;

	for (text = end_of(text); *text; text = end_of(next_line(text)))
		count++;
	return count;
}

static void show(const struct step *step, const char *what)
{
	printf("%s: step %d of %d%s\n", step->file->name, step->number, step->count, what);
	fflush(stdout);
}

static void show_rows(const struct step *step, int64_t rows, const char *more)
{
	char what[64];

	snprintf(what, sizeof(what), ": %" PRId64 " rows%s", rows, more);
	show(step, what);
}

/* One transaction. *rows, how many the statement returned at its end. */
static enum status transaction(struct db *db, const struct step *step, int *rows)
{
	struct db_rows *result = NULL;
	enum status status;
	struct buf sql;

	buf_init(&sql, STEP_CAP);
	buf_puts(&sql, BEGIN);
	buf_str(&sql, step->text);
	status = buf_check(&sql);
	if (status == STATUS_OK)
		status = steps_script(db, step->file->name, buf_text(&sql), &result);
	*rows = db_rows_count(result);
	db_rows_free(result);
	buf_clear(&sql);
	if (status)
		return status;
	db_hold(db, true);
	status = steps_script(db, step->file->name, "commit", NULL);
	db_hold(db, false);
	return status;
}

/* Outside any transaction, and so one statement. */
static enum status alone(struct db *db, const char *name, struct str text)
{
	enum status status;
	struct buf sql;

	buf_init(&sql, STEP_CAP);
	buf_str(&sql, text);
	status = buf_check(&sql);
	if (status == STATUS_OK)
		status = steps_script(db, name, buf_text(&sql), NULL);
	buf_clear(&sql);
	return status;
}

/*
 * What an interrupted run left of an index goes; one that the server still builds, although its run
 * was cut off, is awaited.
 */
static enum status clear_invalid(struct db *db, const char *name)
{
	static const char look[] =
		"select case when p.pid is null then"
		"  format('drop index concurrently if exists %s', i.indexrelid::regclass) end"
		" from pg_index i join pg_class c on c.oid = i.indexrelid"
		" left join pg_stat_progress_create_index p on p.index_relid = i.indexrelid"
		" where c.relnamespace = 'banter_data'::regnamespace and not i.indisvalid";
	enum status status = STATUS_OK;
	struct db_rows *rows = NULL;
	bool more = true;

	while (status == STATUS_OK && more) {
		status = steps_script(db, name, look, &rows);
		more = db_rows_count(rows) > 0;
		if (more && db_rows_text(rows, 0, 0).p)
			status = alone(db, name, db_rows_text(rows, 0, 0));
		else if (more)
			pause_ms(PAUSE_MS);
		db_rows_free(rows);
		rows = NULL;
	}
	return status;
}

static enum status concurrently(struct db *db, const struct step *step)
{
	enum status status = clear_invalid(db, step->file->name);

	return status ? status : alone(db, step->file->name, step->text);
}

/* Tried again while it does not get its locks, or the server is away. */
static enum status try(struct db *db, const struct step *step, int *rows)
{
	int64_t pause = PAUSE_MS;
	enum status status;
	int tries;

	*rows = 0;
	for (tries = 1;; tries++) {
		status = step->kind == STEP_CONCURRENTLY ? concurrently(db, step)
							 : transaction(db, step, rows);
		if (status != STATUS_UNAVAILABLE || tries == TRIES)
			return status;
		if (tries == 1)
			show(step, ": it could not be done now, and is tried again");
		pause_ms(pause);
		pause = clock_earlier(2 * pause, PAUSE_MOST_MS);
	}
}

/* The guard's transaction holds on: nobody else runs steps. */
static enum status guarded(struct db *guard)
{
	return steps_script(guard, "the lock of migrate", "select 1", NULL);
}

static enum status repeat(struct db *db, struct db *guard, const struct step *step)
{
	int64_t began, took, shown = clock_ms(), all = 0;
	enum status status;
	int rows;

	for (;;) {
		began = clock_ms();
		status = guarded(guard);
		if (status == STATUS_OK)
			status = try(db, step, &rows);
		if (status || rows == 0)
			break;
		all += rows;
		took = clock_ms() - began;
		if (began - shown >= SHOWN_MS) {
			show_rows(step, all, " so far");
			shown = began;
		}
		pause_ms(clock_earlier(clock_later(took, BREATH_MS), BREATH_MOST_MS));
	}
	if (status == STATUS_OK)
		show_rows(step, all, "");
	return status;
}

static enum status run_step(struct db *db, struct db *guard, const struct step *step)
{
	enum status status;
	int rows;

	if (step->kind == STEP_REPEAT)
		return repeat(db, guard, step);
	status = guarded(guard);
	if (status == STATUS_OK)
		status = try(db, step, &rows);
	if (status == STATUS_OK)
		show(step, "");
	return status;
}

enum status steps_run(struct db *db, struct db *guard, const struct sql_file *file)
{
	const char *line = end_of(file->text), *text;
	struct step step = { .file = file, .count = count_steps(file->text) };
	enum status status = STATUS_OK;

	while (status == STATUS_OK && *line) {
		text = next_line(line);
		step.kind = (enum kind)kind_of(line);
		step.number++;
		line = end_of(text);
		step.text = (struct str){ text, (size_t)(line - text) };
		status = run_step(db, guard, &step);
	}
	return status;
}

enum status steps_enter(struct db *guard)
{
	struct db_rows *rows = NULL;
	enum status status;
	bool ours, said = false;

	/*
	 * Tried, never waited for: who waits in a statement has a snapshot, and whoever builds an
	 * index concurrently waits for all snapshots.
	 */
	for (;;) {
		status = steps_script(guard, "the lock of migrate",
				      STEPS_BEGIN
				      "set local idle_in_transaction_session_timeout = 0;"
				      "select pg_try_advisory_xact_lock(" STEPS_NUMBER ", 1);",
				      &rows);
		ours = db_rows_boolean(rows, 0, 0);
		db_rows_free(rows);
		rows = NULL;
		if (status)
			return status;
		db_hold(guard, true);
		if (ours)
			return STATUS_OK;
		steps_leave(guard);
		if (!said)
			printf("another migrate is at work: waiting for it\n");
		fflush(stdout);
		said = true;
		pause_ms(PAUSE_MS);
	}
}

void steps_leave(struct db *guard)
{
	enum status status = steps_script(guard, "the lock of migrate", "rollback", NULL);

	/* Lost with its connection, it is rolled back too. */
	(void)status;
	db_hold(guard, false);
}
