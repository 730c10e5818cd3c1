/*
 * Rows and columns, and their three forms: for people, as JSON, as CSV (RFC 4180). Cells are text;
 * control characters in them never reach a terminal: as CSV they stay for a program, and are shown as
 * for people where it goes to a terminal.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"
#include "base/str.h"
#include "cli/terminal.h"

#define TABLE_COLUMNS 32 /* at most */

enum table_form { TABLE_PEOPLE, TABLE_JSON, TABLE_CSV };

enum table_type {
	TABLE_TEXT,
	TABLE_NUMBER,  /* to the right; JSON: as it is */
	TABLE_BOOLEAN, /* "t" or "f"; people: yes or no */
	TABLE_VALUE,   /* JSON text */
};

struct table;

/* STATUS_NOMEM. */
enum status table_new(struct table **out) MUST_CHECK;
void table_free(struct table *table); /* NULL is fine */
/* Before the first cell. `name` as in JSON, its words joined by underscores; a time's
 * ends in "_at" and an id's in "_id", and a day's is "day": these are never cut. Copies. */
void table_column(struct table *table, const char *name, enum table_type type);
/* The next cell, from the left and the top; absent: nothing there (JSON null). Copies. */
void table_cell(struct table *table, struct str value);

/*
 * Prints it: a table, or its only row as a record (people: a line a column; JSON: an object instead
 * of an array). For people it is as wide as the terminal at most: the widest columns are cut, and where
 * that is not enough, the last ones are left out.
 * STATUS_NOMEM: a cell or a line found no memory, nothing was printed; STATUS_FAILED: it could not be
 * written, and errno says why, or is 0 if that is not known.
 */
enum status table_print(const struct table *table, enum table_form form, bool record,
			const struct terminal *terminal, FILE *out) MUST_CHECK;

/*
 * For tables that go on: each call prints the rows of `table`, JSON as an object a line. `so_far` is
 * zeroes at first, and remembers what the lines before looked like. Errors as table_print().
 */
struct table_so_far {
	bool begun;
	int widths[TABLE_COLUMNS];
};
enum status table_print_more(const struct table *table, enum table_form form,
			     struct table_so_far *so_far, const struct terminal *terminal,
			     FILE *out) MUST_CHECK;

#endif
