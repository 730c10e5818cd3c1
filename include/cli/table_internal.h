/* A table's inside, for the files that print it. */
#ifndef CLI_TABLE_INTERNAL_H
#define CLI_TABLE_INTERNAL_H

#include "cli/table.h"

struct table_column {
	char *name;
	enum table_type type;
};

struct table {
	struct table_column column[TABLE_COLUMNS];
	size_t columns;
	char **cell; /* row by row; NULL: nothing there */
	size_t cells, room;
	bool failed;
};

static inline size_t table_rows(const struct table *table)
{
	return table->columns ? table->cells / table->columns : 0;
}

static inline const char *table_at(const struct table *table, size_t row, size_t column)
{
	return table->cell[row * table->columns + column];
}

/* The forms for people: rows under a heading, unless that was said before; and the first row as lines. */
void table_print_rows(const struct table *table, struct table_so_far *so_far,
		      const struct terminal *terminal, FILE *out);
void table_print_record(const struct table *table, const struct terminal *terminal, FILE *out);
/* The first character of `text`, as a person may see it, a line end as it is; returns its bytes. */
size_t table_put_character(struct str text, FILE *out);

#endif
