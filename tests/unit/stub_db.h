/*
 * edge/db for tests of what rests on it: calls and their values go into the journal, answers come
 * from a script. Rows are allocated, so that one not freed, or freed twice, is seen.
 */
#ifndef STUB_DB_H
#define STUB_DB_H

#include <inttypes.h>

#include "stub_journal.h"
#include "stub_time.h"

#include "edge/db.h"
#include "wire/utf8.h"

#define STUB_DB_COLUMNS 21

struct db {
	bool busy;
};

/* A row's cells; NULL is NULL. */
struct stub_row {
	const char *cells[STUB_DB_COLUMNS];
};

struct stub_answer {
	enum status status;
	const struct stub_row *rows;
	int count;
	int64_t ms;	     /* how long it takes; STATUS_TIMEOUT takes until the deadline */
	const char *refusal; /* what STATUS_REFUSED says, to who takes it */
};

struct db_rows {
	const struct stub_row *rows;
	int count;
};

static struct {
	const struct stub_answer *answers; /* one a call; the last one again and again */
	int count;
	int at;
	int rows_alive;
	bool quiet;		      /* only names go into the journal, no values */
	bool statements;	      /* the statements go into it too */
	bool disturbed;		      /* a call was made during which the client may end it */
	int64_t deadline;	      /* of the last call */
	enum status started, stepped; /* what db_start() and db_step() answer */
	const struct stub_row *found; /* ... and the row with which it does; NULL: with none */
	enum status scripted;	      /* ... and db_script() */
	int steps;		      /* how many it takes */
	int steps_left;
} stub_db;

static inline void stub_db_script(const struct stub_answer *answers, int count)
{
	memset(&stub_db, 0, sizeof(stub_db));
	stub_db.answers = answers;
	stub_db.count = count;
	stub_db.steps = 1;
}

enum status db_new(const struct db_target *target, struct db **out)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return STATUS_NOMEM;
	note("connect(%s, %s, %" PRId64 ") ", target->url, target->password, target->connect_ms);
	*out = db;
	return STATUS_OK;
}

void db_free(struct db *db)
{
	if (db)
		note("disconnect ");
	free(db);
}

void db_query_init(struct db_query *query, const char *name, const char *sql)
{
	query->name = name;
	query->sql = sql;
	query->count = 0;
	query->keep = false;
	query->patient_until = 0;
	query->refusal = NULL;
	query->refusal_size = 0;
}

void db_query_keep(struct db_query *query)
{
	query->keep = true;
}

void db_query_patient(struct db_query *query, int64_t until)
{
	query->patient_until = until;
}

void db_take_refusal(struct db_query *query, char *words, size_t size)
{
	query->refusal = words;
	query->refusal_size = size;
}

static inline struct db_value *stub_db_add(struct db_query *query, struct str bytes, bool raw)
{
	struct db_value *value = &query->values[query->count++];

	assert_in_range(query->count, 1, DB_MAX_VALUES);
	*value = (struct db_value){ .bytes = bytes, .raw = raw };
	return value;
}

void db_add_text(struct db_query *query, struct str text)
{
	stub_db_add(query, text, true);
}

void db_add_input(struct db_query *query, const char *text)
{
	stub_db_add(query, str_from(text), false);
}

void db_add_integer(struct db_query *query, int64_t number)
{
	struct db_value *value = stub_db_add(query, STR_NONE, false);

	snprintf(value->number, sizeof(value->number), "%" PRId64, number);
	value->bytes = str_from(value->number);
}

void db_add_boolean(struct db_query *query, bool truth)
{
	stub_db_add(query, truth ? STR("t") : STR("f"), false);
}

void db_add_null(struct db_query *query)
{
	stub_db_add(query, STR_NONE, false);
}

void db_add_time_left(struct db_query *query)
{
	stub_db_add(query, STR("left"), false);
}

void db_add_until(struct db_query *query)
{
	stub_db_add(query, STR("until"), false);
}

/*
 * Texts stand in quotes, NULL does not, and what is no text as its number of bytes: a random hash
 * has quotes and commas too. A statement has a place for each value.
 */
static inline void stub_db_note(const struct db_query *query)
{
	char place[16];
	int i;

	snprintf(place, sizeof(place), "$%d", query->count + 1);
	assert_null(strstr(query->sql, place));
	snprintf(place, sizeof(place), "$%d", query->count);
	assert_true(query->count == 0 || strstr(query->sql, place));
	note("%s", query->name);
	if (stub_db.statements)
		note(": %s ", query->sql);
	for (i = 0; !stub_db.quiet && i < query->count; i++) {
		const struct db_value *value = &query->values[i];

		note("%s", i ? ", " : "(");
		if (!value->bytes.p)
			note("null");
		else if (value->raw && !utf8_valid(value->bytes, NULL))
			note("%zu bytes", value->bytes.n);
		else
			note(value->raw ? "'%.*s'" : "%.*s", STR_ARGS(value->bytes));
	}
	note("%s", i ? ") " : " ");
}

static inline enum status stub_db_give(const struct stub_row *given, int count,
				       struct db_rows **out)
{
	struct db_rows *rows = malloc(sizeof(*rows));

	if (!rows)
		return STATUS_NOMEM;
	*rows = (struct db_rows){ given, count };
	stub_db.rows_alive++;
	*out = rows;
	return STATUS_OK;
}

enum status db_call(struct db *db, struct wait *wait, const struct db_query *query,
		    int64_t deadline, struct db_rows **out)
{
	const struct stub_answer *answer = &stub_db.answers[stub_db.at];

	db->busy = false;
	stub_db_note(query);
	assert_in_range(stub_db.at, 0, stub_db.count - 1);
	if (stub_db.at < stub_db.count - 1)
		stub_db.at++;
	stub_db.disturbed = wait && !wait->undisturbed;
	stub_db.deadline = deadline;
	stub_time.now = answer->status == STATUS_TIMEOUT ? deadline : stub_time.now + answer->ms;
	if (answer->refusal) {
		assert_int_equal(answer->status, STATUS_REFUSED);
		assert_non_null(query->refusal);
		snprintf(query->refusal, query->refusal_size, "%s", answer->refusal);
	}
	if (answer->status || !out || !answer->rows)
		return answer->status;
	return stub_db_give(answer->rows, answer->count, out);
}

enum status db_script(struct db *db, const char *name, const char *sql, int64_t deadline,
		      struct db_rows **out)
{
	(void)db;
	(void)out;
	assert_true(deadline > stub_time.now);
	note("script %s: %s ", name, sql);
	return stub_db.scripted;
}

void db_hold(struct db *db, bool on)
{
	(void)db;
	note(on ? "hold " : "let go ");
}

enum status db_start(struct db *db, struct wait *wait, const struct db_query *query)
{
	(void)wait;
	stub_db_note(query);
	db->busy = stub_db.started == STATUS_OK;
	stub_db.steps_left = stub_db.steps;
	return stub_db.started;
}

enum status db_step(struct db *db, struct wait *wait, bool *done, struct db_rows **out)
{
	(void)wait;
	assert_true(db->busy);
	note("step ");
	*done = --stub_db.steps_left <= 0;
	db->busy = !*done;
	if (*done && stub_db.stepped == STATUS_OK && stub_db.found)
		return stub_db_give(stub_db.found, 1, out);
	return *done ? stub_db.stepped : STATUS_OK;
}

bool db_busy(const struct db *db)
{
	return db->busy;
}

void db_rows_free(struct db_rows *rows)
{
	if (rows)
		stub_db.rows_alive--;
	free(rows);
}

int db_rows_count(const struct db_rows *rows)
{
	return rows ? rows->count : 0;
}

struct str db_rows_text(const struct db_rows *rows, int row, int column)
{
	assert_in_range(column, 0, STUB_DB_COLUMNS - 1);
	if (row >= db_rows_count(rows))
		return STR_NONE;
	return str_from(rows->rows[row].cells[column]);
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

int db_backend(const struct db *db)
{
	(void)db;
	return 4711;
}

#endif
