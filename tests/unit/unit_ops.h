/*
 * What the tests of ops share: a database that is a stub, ids that are known, and nothing printed, which
 * is held against every test.
 */
#ifndef UNIT_OPS_H
#define UNIT_OPS_H

#include "stub_db.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/secret.h"
#include "ops/ops.h"

#define PATIENCE_MS 5000

/* Always the same: what an operation makes up is seen in its values. */
void secret_random(void *out, size_t n)
{
	memset(out, 0x7f, n);
}

void secret_new_id(char out[SECRET_ID_SIZE])
{
	snprintf(out, SECRET_ID_SIZE, "a-new-id");
}

static struct {
	struct db db;
	struct ops ops;
	int said, out, err; /* where words go, and where they went before */
} unit_ops;

/* Everything that is put to standard output or error from here on is kept. */
static inline int ops_setup(void **state)
{
	(void)state;
	fflush(stdout);
	unit_ops.said = memfd_create("said", 0);
	unit_ops.out = dup(STDOUT_FILENO);
	unit_ops.err = dup(STDERR_FILENO);
	dup2(unit_ops.said, STDOUT_FILENO);
	dup2(unit_ops.said, STDERR_FILENO);
	ops_init(&unit_ops.ops, &unit_ops.db, NULL, PATIENCE_MS);
	return unit_ops.said < 0;
}

/* Nothing was; and no rows were left behind. A failure's own words are shown. */
static inline int ops_teardown(void **state)
{
	char words[4096];
	ssize_t n;

	(void)state;
	fflush(stdout);
	n = pread(unit_ops.said, words, sizeof(words), 0);
	dup2(unit_ops.out, STDOUT_FILENO);
	dup2(unit_ops.err, STDERR_FILENO);
	close(unit_ops.out);
	close(unit_ops.err);
	close(unit_ops.said);
	if (n > 0)
		print_error("printed: %.*s\n", (int)n, words);
	if (stub_db.rows_alive)
		print_error("%d rows were not freed\n", stub_db.rows_alive);
	return n != 0 || stub_db.rows_alive;
}

#define OPS_TEST(name) cmocka_unit_test_setup_teardown(name, ops_setup, ops_teardown)

/* What the database answers; the journal then has statements and values. */
#define ANSWERS(...)                                                                               \
	do {                                                                                       \
		static const struct stub_answer answers_[] = { __VA_ARGS__ };                      \
                                                                                                   \
		stub_db_script(answers_, COUNT(answers_));                                         \
		stub_db.statements = true;                                                         \
		journal_clear();                                                                   \
	} while (0)
#define ROWS(array)                                                                                \
	{                                                                                          \
		.rows = (array), .count = COUNT(array)                                             \
	}
#define NOTHING                                                                                    \
	{                                                                                          \
		.status = STATUS_OK                                                                \
	}
#define REFUSES(words)                                                                             \
	{                                                                                          \
		.status = STATUS_REFUSED, .refusal = (words)                                       \
	}
#define FAILS(how)                                                                                 \
	{                                                                                          \
		.status = (how)                                                                    \
	}

static inline void assert_refused(enum status status, enum status as, const char *words)
{
	assert_int_equal(status, as);
	assert_string_equal(unit_ops.ops.refusal, words);
	assert_int_equal(stub_db.deadline, stub_time.now + PATIENCE_MS);
}

#endif
